import { randomBytes } from "node:crypto";

/** A name no other test uses: good as hub, group, user or event name. */
export function freshName(prefix: string): string {
  return `${prefix}${randomBytes(6).toString("hex")}`;
}
