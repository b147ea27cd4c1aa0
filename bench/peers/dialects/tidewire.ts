import { upgradeRequest } from "../../load/client.ts";
import type { Dialect } from "../load/dialect.ts";
import { jsonKind, sendToGroup } from "./json.ts";
import { scanKinds } from "./kind-scanner.ts";

/** `json.webpubsub.azure.v1` with a token that is checked; acknowledged with `ackId`. */
export const tidewire: Dialect = {
  upgrade: (endpoint, { id, group }) =>
    upgradeRequest(endpoint, {
      sub: `user${id}`,
      role: ["webpubsub.sendToGroup"],
      ...(group === null ? {} : { "webpubsub.group": [group] }),
    }),
  greetings: () => [{ frame: null, answers: 1 }],
  scanner: () => scanKinds(jsonKind),
  publish: sendToGroup,
  pong: null,
};
