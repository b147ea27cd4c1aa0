import { randomBytes } from "node:crypto";
import type { ConnectionId } from "../core/names.ts";
import { nodeIdLength } from "../core/node-id.ts";
import type { IdSource } from "../core/ports.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Random part of a connection id: 24 characters of 6 bits each, 144 bits. */
const randomPartBytes = 18;
/** Ids drawn per call of the random source, which costs far more than copying. */
const poolSize = 256;

/** A new node id: a restarted node is a new node (cluster.md section 2). */
export function createNodeId(): string {
  let id = "";
  for (const byte of randomBytes(nodeIdLength)) id += alphabet.charAt(byte % alphabet.length);
  return id;
}

/** Connection ids of 32 URL-safe characters, the first 8 naming the node. */
export function createIdSource(nodeId: string): IdSource {
  let pool = Buffer.alloc(0);
  let used = 0;
  return {
    connectionId() {
      if (used + randomPartBytes > pool.length) {
        pool = randomBytes(randomPartBytes * poolSize);
        used = 0;
      }
      const part = pool.toString("base64url", used, used + randomPartBytes);
      used += randomPartBytes;
      return (nodeId + part) as ConnectionId;
    },
  };
}
