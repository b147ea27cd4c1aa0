import { type GroupName, parseGroupName } from "../../core/names.ts";

/** What a frame of a simple client does; fixed when it connects (client-protocols 5). */
export type SimpleMode =
  | { readonly kind: "sendEvent" }
  | { readonly kind: "sendToGroup"; readonly group: GroupName; readonly noEcho: boolean };

const sendEvent: SimpleMode = { kind: "sendEvent" };

/**
 * Reads the mode from the decoded query parameters, in the order of the query. Returns a one-line text for the body of the
 * 400 if they are invalid (C-67).
 *
 * Parameter names, the mode and the boolean are case-insensitive, the last of repeated parameters counts. `group` and
 * `noEcho` are looked at in sendToGroup mode only.
 */
export function parseSimpleMode(parameters: Iterable<readonly [name: string, value: string]>): SimpleMode | string {
  let mode = "";
  let group = "";
  let noEcho = "";
  for (const [name, value] of parameters) {
    const lower = name.toLowerCase();
    if (lower === "webpubsub_mode") mode = value.toLowerCase();
    else if (lower === "group") group = value;
    else if (lower === "noecho") noEcho = value.toLowerCase();
  }
  if (mode === "" || mode === "sendevent") return sendEvent;
  if (mode !== "sendtogroup") return "The query parameter webpubsub_mode must be sendEvent or sendToGroup.";
  const parsedGroup = parseGroupName(group);
  if (parsedGroup === null) return "The query parameter group must be a group name of 1 to 1024 characters.";
  if (noEcho !== "" && noEcho !== "true" && noEcho !== "false")
    return "The query parameter noEcho must be true or false.";
  return { kind: "sendToGroup", group: parsedGroup, noEcho: noEcho === "true" };
}
