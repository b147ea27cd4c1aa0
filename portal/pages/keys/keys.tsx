import { useState } from "react";
import { admin, type Keys as KeyPair } from "../../api/admin.ts";
import { useStatus } from "../../app/status.tsx";
import { useSay } from "../../app/toasts.tsx";
import { useAction } from "../../app/use-action.ts";
import { useLoad } from "../../app/use-load.ts";
import { CopyField } from "../../parts/copy-field.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { LoadState } from "../../parts/load-state.tsx";
import { Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { ClientUrlGenerator } from "./client-url-generator.tsx";

type KeyType = "Primary" | "Secondary";
const keyTypes: readonly KeyType[] = ["Primary", "Secondary"];

/** The access keys, and client URLs signed with them. */
export function Keys() {
  const keys = useLoad("keys", () => admin.keys());
  return (
    <>
      <PageHead title="Keys">
        Access keys sign client URLs and REST requests. Whoever has one can do everything in every hub: keep them in
        your servers, never in a web page.
      </PageHead>
      <LoadState what="the keys" loaded={keys} />
      {keys.value !== null && (
        <div className="grid two">
          {keyTypes.map((type) => (
            <KeyCard key={type} type={type} keys={keys.value} onChange={keys.set} />
          ))}
        </div>
      )}
      <ClientUrlGenerator />
    </>
  );
}

interface KeyCardProps {
  readonly type: KeyType;
  readonly keys: KeyPair | null;
  readonly onChange: (keys: KeyPair) => void;
}

function KeyCard({ type, keys, onChange }: KeyCardProps) {
  const status = useStatus();
  const say = useSay();
  const action = useAction();
  const [asked, setAsked] = useState<"regenerate" | "restore" | null>(null);
  const name = type.toLowerCase();
  const key = (type === "Primary" ? keys?.primaryKey : keys?.secondaryKey) ?? null;
  const connectionString = (type === "Primary" ? keys?.primaryConnectionString : keys?.secondaryConnectionString) ?? "";
  const verb = key === null ? "Generate" : "Regenerate";
  const setting = `service.keys.${name}`;
  const isOurs = status.value?.configuration.overlay.settings.includes(setting) === true;
  const isHiding = status.value?.warnings.some(({ path }) => path === setting) === true;
  const change = (work: () => Promise<KeyPair>, done: string): void => {
    setAsked(null);
    action.run(async () => {
      onChange(await work());
      status.reload();
      say(done);
    });
  };
  return (
    <section className="card" aria-label={`${type} key`}>
      <header>
        <h2>{type} key</h2>
        {isOurs && <span className="badge accent">Regenerated here</span>}
        <span className="actions">
          {isOurs && (
            <button
              type="button"
              aria-label={`Restore the configured ${name} key`}
              aria-disabled={action.isBusy}
              onClick={() => setAsked("restore")}
            >
              Restore
            </button>
          )}
          <button
            type="button"
            aria-label={`${verb} the ${name} key`}
            aria-disabled={action.isBusy}
            onClick={() => setAsked("regenerate")}
          >
            {verb}
          </button>
        </span>
      </header>
      {key === null ? (
        <p className="soft">
          There is no {name} key. Generate one to change keys without a gap: move your servers to it, then regenerate
          the other one.
        </p>
      ) : (
        <>
          <CopyField key={key} label={`${type} key`} value={key} isSecret />
          <CopyField key={connectionString} label={`${type} connection string`} value={connectionString} isSecret />
        </>
      )}
      {isHiding && (
        <Notice>
          The configuration has a {name} key of its own, which has no effect: this one takes its place until you restore
          it.
        </Notice>
      )}
      {asked === "regenerate" && (
        <Confirm
          title={`${verb} the ${name} key?`}
          action={verb}
          onClose={() => setAsked(null)}
          onConfirm={() =>
            change(
              () => admin.regenerateKey(type),
              key === null ? `There is a ${name} key now` : `The ${name} key is new`,
            )
          }
        >
          {key === null ? (
            <p>It is valid at once, beside the other key.</p>
          ) : (
            <WhatHappens name={name}>The old key is lost, unless it is in the configuration.</WhatHappens>
          )}
        </Confirm>
      )}
      {asked === "restore" && (
        <Confirm
          title={`Restore the configured ${name} key?`}
          action="Restore"
          onClose={() => setAsked(null)}
          onConfirm={() => change(() => admin.restoreKey(type), `The ${name} key is the configured one again`)}
        >
          <WhatHappens name={name}>
            The key of the configuration counts again, or what the service generated at its first start. If you
            regenerated the key because somebody else had it, do not restore it.
          </WhatHappens>
        </Confirm>
      )}
    </section>
  );
}

function WhatHappens({ name, children }: { readonly name: string; readonly children: string }) {
  return (
    <div className="stack">
      <p>
        The {name} key of now is refused at once: servers that use it get 401, and client URLs signed with it cannot
        connect any more. Clients that are connected stay connected. The other key goes on working.
      </p>
      <p>{children}</p>
    </div>
  );
}
