import { closeFrame, readUpgrade, type Subprotocol, textFrame, upgradeRequest } from "../../bench/load/client.ts";
import { FrameCounter } from "../../bench/load/frame-counter.ts";
import type { Endpoint } from "../../bench/load/job.ts";
import { RawSocket } from "../../bench/load/raw-socket.ts";

/** How a client's life ends; `cut`: without a closing handshake, so that a reliable connection waits for its client. */
export type Ending = "closed" | "cut";

export interface Life {
  /** Makes the names of user and group; none is used twice. */
  readonly number: number;
  readonly subprotocol: Subprotocol;
  readonly ending: Ending;
}

/** Data frames that each step is answered with: first frame, confirmation, message and confirmation, confirmation. */
const framesPerLife = 5;
const textLength = 200;

/**
 * One client's life over raw TCP: connects, joins a group of its own, publishes to it, receives its own message, leaves and
 * goes. Resolves when the server has ended the connection; throws when anything but the expected number of frames comes.
 */
export async function live(endpoint: Endpoint, { number, subprotocol, ending }: Life): Promise<void> {
  const group = `group${number}`;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const steps = stepsOf(group, { ending, isReliable: subprotocol === "json.reliable.webpubsub.azure.v1" });
  const counter = new FrameCounter();
  let answer: Buffer | null = Buffer.alloc(0);
  let frames = 0;
  const socket = await RawSocket.open(endpoint.port, {
    received(chunk) {
      if (frames === framesPerLife) return; // the answer to the close frame
      let rest: Buffer | null = chunk;
      if (answer !== null) {
        answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
        rest = readUpgrade(answer);
        if (rest === null) return;
        answer = null;
      }
      const before = frames;
      frames += counter.push(rest);
      if (frames > framesPerLife) throw new Error("a client received more than was meant for it");
      for (let at = before + 1; at <= frames; at++) {
        const bytes = steps.get(at);
        if (bytes === "end") socket.end();
        else if (bytes !== undefined) socket.write(bytes);
      }
    },
    ended() {
      if (frames < framesPerLife) throw new Error("the server ended a connection early");
      resolve();
    },
  });
  const claims = { sub: `user${number}`, role: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"] };
  socket.write(upgradeRequest(endpoint, claims, subprotocol));
  await over;
}

/** What a client does after so many frames. */
function stepsOf(
  group: string,
  { ending, isReliable }: { readonly ending: Ending; readonly isReliable: boolean },
): ReadonlyMap<number, Buffer | "end"> {
  const publish = { type: "sendToGroup", group, dataType: "text", data: "x".repeat(textLength), ackId: 2 };
  const leave = textFrame({ type: "leaveGroup", group, ackId: 3 });
  const confirm = textFrame({ type: "sequenceAck", sequenceId: 1 });
  return new Map<number, Buffer | "end">([
    [1, textFrame({ type: "joinGroup", group, ackId: 1 })],
    [2, textFrame(publish)],
    [4, isReliable ? Buffer.concat([confirm, leave]) : leave],
    [framesPerLife, ending === "closed" ? closeFrame : "end"],
  ]);
}
