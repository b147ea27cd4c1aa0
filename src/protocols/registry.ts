import type { Codec } from "./codec.ts";
import { jsonReliableV1Codec, jsonV1Codec } from "./json-v1/codec.ts";
import { protobufReliableV1Codec, protobufV1Codec } from "./protobuf-v1/codec.ts";
import { simpleCodec } from "./simple/codec.ts";

/** Offers of one client that are looked at, far more than any client makes. Ours. */
const maxOffers = 100;
/** An HTTP token: nothing else can be a subprotocol (RFC 6455 4.1) or be echoed in a header. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A codec whose state only the codec itself understands: pass it what its own `initial` returned. */
export type AnyCodec = Codec<unknown>;

const codecs: ReadonlyMap<string, AnyCodec> = new Map(
  [jsonV1Codec, jsonReliableV1Codec, protobufV1Codec, protobufReliableV1Codec].map((codec) => [
    codec.subprotocol ?? "",
    codec,
  ]),
);

export interface SubprotocolChoice {
  /** For the answer's `Sec-WebSocket-Protocol`, in the spelling of the client (C-19); null: no such header. */
  readonly subprotocol: string | null;
  readonly codec: AnyCodec;
}

/**
 * Reads the offers from a `Sec-WebSocket-Protocol` header, several of them joined by commas. Empty and malformed entries
 * are left out, and whatever comes behind the first `maxOffers`. Linear in the header's length (H-21).
 */
export function parseOffers(header: string | null): readonly string[] {
  const offers: string[] = [];
  if (header === null) return offers;
  for (let start = 0; start <= header.length && offers.length < maxOffers; ) {
    const comma = header.indexOf(",", start);
    const end = comma < 0 ? header.length : comma;
    const offer = header.slice(start, end).trim();
    if (token.test(offer)) offers.push(offer);
    start = end + 1;
  }
  return offers;
}

/**
 * Chooses subprotocol and codec (client-protocols 2.5). Without a choice by the `connect` handler: the first supported
 * offer, else a single unsupported one, else none. Returns "notOffered" when the handler chose what the client did not
 * offer. Names compare case-insensitively.
 */
export function chooseSubprotocol(
  offered: readonly string[],
  chosenByHandler: string | null,
): SubprotocolChoice | "notOffered" {
  const [only] = offered;
  if (only === undefined) return { subprotocol: null, codec: simpleCodec };
  if (chosenByHandler !== null) {
    const chosen = chosenByHandler.toLowerCase();
    const offer =
      offered.find((name) => name === chosenByHandler) ?? offered.find((name) => name.toLowerCase() === chosen);
    return offer === undefined ? "notOffered" : { subprotocol: offer, codec: codecOf(offer) ?? simpleCodec };
  }
  for (const name of offered) {
    const codec = codecOf(name);
    if (codec !== undefined) return { subprotocol: name, codec };
  }
  return { subprotocol: offered.length === 1 ? only : null, codec: simpleCodec }; // C-21
}

function codecOf(subprotocol: string): AnyCodec | undefined {
  return codecs.get(subprotocol.toLowerCase());
}
