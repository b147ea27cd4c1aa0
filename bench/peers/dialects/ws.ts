import { type Dialect, plainUpgrade } from "../load/dialect.ts";
import { jsonKind, sendToGroup } from "./json.ts";
import { scanKinds } from "./kind-scanner.ts";

/** What the server in `peers/ws/` speaks: messages as in the JSON subprotocol, the group in the URL. */
export const ws: Dialect = {
  upgrade: ({ port }, { group }) => plainUpgrade(port, group === null ? "/" : `/?group=${group}`, null),
  greetings: () => [{ frame: null, answers: 1 }],
  scanner: () => scanKinds(jsonKind),
  publish: sendToGroup,
  pong: null,
};
