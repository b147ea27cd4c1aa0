import type { Config, Listener } from "../config/config.ts";
import { loadCertificate, watchCertificate } from "../tls/certificate-files.ts";
import { ensureLocalCertificate } from "../tls/local-ca.ts";
import type { TlsFiles } from "../transport/listener.ts";

/** Quiet time after a change of certificate files before they are read. */
const debounceMs = 300;
/** Certificate files are read again at this interval too, for file systems that report no changes. */
const recheckMs = 60_000;
/** A local certificate is looked at daily; it is renewed 30 days before its end. */
const renewalCheckMs = 86_400_000;

/** The certificate of one listener. */
export interface ListenerCertificate {
  readonly tls: TlsFiles;
  /** Certificate of the local authority to trust, null for a certificate of the operator's own. */
  readonly authorityFile: string | null;
  readonly warnings: readonly string[];
  /** Calls back with each later certificate, or with what is wrong with it; returns a function that stops it. */
  watch(onChange: (tls: TlsFiles) => void, onProblem: (problem: string) => void): () => void;
}

/** Reads or makes the certificate of an https listener. `problem` is one line for the operator. */
export async function listenerCertificate(
  listener: Listener,
  config: Config,
): Promise<ListenerCertificate | { readonly problem: string }> {
  return listener.tls === null ? localCertificate(config) : ownCertificate(listener.tls);
}

async function localCertificate({ service }: Config): Promise<ListenerCertificate | { readonly problem: string }> {
  const publicNames = service.publicEndpoints.map((endpoint) => new URL(endpoint).hostname.replace(/^\[|\]$/g, ""));
  const make = () =>
    ensureLocalCertificate({
      dataDir: service.dataDir,
      names: [...service.certificateNames, ...publicNames],
      now: new Date(),
    });
  const made = await make();
  if (!made.ok) return { problem: made.problem };
  const { certificatePem, keyPem, authorityFile } = made.certificate;
  return {
    tls: { certificatePem, keyPem },
    authorityFile,
    warnings: [],
    watch(onChange, onProblem) {
      const timer = setInterval(() => {
        void make().then((renewed) => {
          if (!renewed.ok) onProblem(renewed.problem);
          else if (renewed.certificate.made !== "kept") onChange(renewed.certificate);
        });
      }, renewalCheckMs);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

async function ownCertificate(
  files: NonNullable<Listener["tls"]>,
): Promise<ListenerCertificate | { readonly problem: string }> {
  const loaded = await loadCertificate(files, new Date());
  if (!loaded.ok) return { problem: loaded.problem };
  return {
    tls: loaded,
    authorityFile: null,
    warnings: loaded.warnings,
    watch: (onChange, onProblem) =>
      watchCertificate(files, {
        current: loaded,
        debounceMs,
        recheckMs,
        now: () => new Date(),
        onChange: (changed) => {
          if (changed.ok) onChange(changed);
          else onProblem(changed.problem);
        },
      }),
  };
}
