// The polyfill must be there before the X.509 library is loaded: its dependency injection refuses to start otherwise.
import "reflect-metadata";
import { createHash, createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { CertificateName } from "./certificate-names.ts";

// The library's declarations use these names of the browser's type library, which would bring all of the DOM with it.
declare global {
  type BufferSource = ArrayBuffer | ArrayBufferView;
  interface Algorithm {
    name: string;
  }
  type AlgorithmIdentifier = Algorithm | string;
  interface EcKeyGenParams extends Algorithm {
    namedCurve: string;
  }
  interface EcKeyImportParams extends Algorithm {
    namedCurve: string;
  }
  interface EcdsaParams extends Algorithm {
    hash: AlgorithmIdentifier;
  }
  interface RsaHashedImportParams extends Algorithm {
    hash: AlgorithmIdentifier;
  }
  type KeyUsage = CryptoKey["usages"][number];
}

/** Validity of a certificate to be made. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What the server certificate of the local authority says. */
export interface LeafContent extends Validity {
  readonly authorityKeyPem: string;
  readonly leafKeyPem: string;
  readonly names: readonly CertificateName[];
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * Makes the self-signed certificate of a local authority. Its subject is derived from its key, so two certificates made of
 * one key are interchangeable for every chain, and authorities of different keys never share a name in a trust store.
 */
export async function issueAuthority(keyPem: string, validity: Validity): Promise<string> {
  const keys = await importKeys(keyPem);
  const name = subjectOfAuthority(keyPem);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: name,
    issuer: name,
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** Makes the server certificate of the given names, signed by the authority's key. */
export async function issueLeaf(content: LeafContent): Promise<string> {
  const authority = await importKeys(content.authorityKeyPem);
  const leaf = await importKeys(content.leafKeyPem);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "O=tidewire, CN=localhost",
    issuer: subjectOfAuthority(content.authorityKeyPem),
    notBefore: content.notBefore,
    notAfter: content.notAfter,
    publicKey: leaf.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(content.names.map(({ kind, value }) => ({ type: kind, value }))),
      await SubjectKeyIdentifierExtension.create(leaf.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

function subjectOfAuthority(keyPem: string): string {
  const spki = createPublicKey(keyPem).export({ type: "spki", format: "der" });
  return `O=tidewire, CN=tidewire local authority ${createHash("sha256").update(spki).digest("hex").slice(0, 8)}`;
}

/** 127 random bits; the top bits make it positive and never empty. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

async function importKeys(keyPem: string): Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }> {
  const pkcs8 = createPrivateKey(keyPem).export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(keyPem).export({ type: "spki", format: "der" });
  return {
    privateKey: await crypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), algorithm, true, ["sign"]),
    publicKey: await crypto.subtle.importKey("spki", new Uint8Array(spki), algorithm, true, ["verify"]),
  };
}
