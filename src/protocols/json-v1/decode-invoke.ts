import { maxClientIdLength } from "../../core/names.ts";
import { emptyText } from "../../core/payload.ts";
import type { Decoded } from "../codec.ts";
import type { Members } from "./members.ts";
import { invalid, isAbsent, readEvent, readMetadata, readPayload, readString } from "./read.ts";

/**
 * Decodes `invoke` (client-protocols 7.1). One without a readable id is an invalid message, since no response could name it;
 * whatever else is wrong fails the invocation alone.
 */
export function decodeInvoke(source: Members): Decoded {
  const invocationId = readString(source.rare.invocationId);
  if (invocationId === null || invocationId === "") return invalid("The invocationId is missing or not a string.");
  if (invocationId.length > maxClientIdLength)
    return invalid(`The invocationId is longer than ${maxClientIdLength} characters.`);
  const refuse = (message: string): Decoded => ({ kind: "invokeProblem", invocationId, message });

  if (readString(source.rare.target)?.toLowerCase() !== "event") return refuse("The target is not event.");
  const event = readEvent(source.event);
  if (event === null) return refuse("The event name is missing or invalid.");
  const metadata = readMetadata(source.metadata);
  if (metadata === undefined) return refuse("The metadata are not an object of strings within the limits.");
  const payload = source.data === "" && isAbsent(source.dataType) ? emptyText : readPayload(source);
  return typeof payload === "string" ? refuse(payload) : { kind: "invoke", invocationId, event, payload, metadata };
}

/** Decodes `cancelInvocation`; any string can be an id, one that nobody uses is none of the codec's business. */
export function decodeCancelInvocation({ rare }: Members): Decoded {
  const invocationId = readString(rare.invocationId);
  return invocationId === null
    ? invalid("The invocationId is missing or not a string.")
    : { kind: "cancelInvocation", invocationId };
}
