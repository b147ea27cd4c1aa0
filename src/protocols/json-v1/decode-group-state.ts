import type { GroupState } from "../../core/group-state.ts";
import type { Decoded } from "../codec.ts";
import { scanObject } from "../shared/json-scanner.ts";
import type { Members } from "./members.ts";
import { invalid, invalidAckId, invalidGroup, isAbsent, readAckId, readGroup, readString } from "./read.ts";

/** Ours: far more keys than the 512 bytes of a state have room for. */
const maxKeys = 8192;

/** Decodes `setGroupState` (client-protocols 7.3). How big a state may be is not checked here: that is acked, not closed. */
export function decodeSetGroupState(source: Members): Decoded {
  const group = readGroup(source.group);
  if (group === null) return invalidGroup();
  const ackId = readAckId(source.ackId);
  if (ackId === undefined) return invalidAckId();
  const state = readState(source.rare.state);
  if (state === undefined) return invalid("The state is not an object of strings, or has too many keys.");
  return { kind: "setGroupState", group, state, ackId };
}

/** null: absent, undefined: invalid. The last of equal keys counts. */
function readState(source: string): GroupState | null | undefined {
  if (isAbsent(source)) return null;
  const scanner = scanObject(source);
  if (scanner === null) return undefined;
  const state = new Map<string, string>();
  for (let step = scanner.next(); step === "member"; step = scanner.next()) {
    const key = readString(source.slice(scanner.nameStart, scanner.nameEnd));
    const value = readString(source.slice(scanner.valueStart, scanner.valueEnd));
    if (key === null || value === null) return undefined;
    state.set(key, value);
    if (state.size > maxKeys) return undefined;
  }
  return Array.from(state);
}
