import { connect, type Socket } from "node:net";
import { Inbox } from "./inbox.ts";

/** A message as a subscriber of NATS receives it. */
export interface NatsMessage {
  readonly subject: string;
  readonly reply: string | null;
  /** In the order of the wire, names as written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly data: Buffer;
}

/** A client of NATS, written against its protocol and nothing else. */
export interface NatsClient {
  readonly messages: Inbox<NatsMessage>;
  subscribe(subject: string): void;
  /** Publishes and waits for the answer, as JSON. */
  ask(subject: string, request: unknown): Promise<Readonly<Record<string, unknown>>>;
  close(): void;
}

const messageLine = /^(H?MSG) (\S+) (\S+)(?: (\S+))?(?: (\d+))? (\d+)$/;

/** Connects with these options of `CONNECT`; resolves when the server has read them. */
export async function connectNats(port: number, options: object = {}): Promise<NatsClient> {
  const socket = connect(port, "127.0.0.1");
  const messages = new Inbox<NatsMessage>();
  const answers = new Inbox<NatsMessage>();
  const pongs = new Inbox<string>();
  let nextInbox = 0;
  let nextSubscription = 1;
  readFrames(socket, (line, payload) => {
    if (line === "PING") socket.write("PONG\r\n");
    else if (line === "PONG" || line.startsWith("-ERR")) pongs.push(line);
    const [, kind, subject = "", sid = "", third, fourth] = messageLine.exec(line) ?? [];
    if (kind === undefined) return;
    // `HMSG subject sid [reply] headerBytes totalBytes`, `MSG subject sid [reply] bytes`
    const headerBytes = kind === "HMSG" ? Number(fourth ?? third) : 0;
    const reply = kind === "HMSG" ? (fourth === undefined ? null : (third ?? null)) : (third ?? fourth ?? null);
    const headers = headerPairs(payload.subarray(0, headerBytes).toString("utf8"));
    const inbox = subject.startsWith("_INBOX.") ? answers : messages;
    inbox.push({ subject, reply: sid === "" ? null : reply, headers, data: payload.subarray(headerBytes) });
  });
  socket.write(`CONNECT ${JSON.stringify({ verbose: false, headers: true, ...options })}\r\nPING\r\n`);
  const answer = await pongs.take({ what: "PONG" });
  if (answer !== "PONG") throw new Error(answer);
  socket.write("SUB _INBOX.test.* 1\r\n");
  return {
    messages,
    subscribe(subject) {
      nextSubscription += 1;
      socket.write(`SUB ${subject} ${nextSubscription}\r\n`);
    },
    async ask(subject, request) {
      nextInbox += 1;
      const reply = `_INBOX.test.${nextInbox}`;
      const body = JSON.stringify(request);
      socket.write(`PUB ${subject} ${reply} ${Buffer.byteLength(body)}\r\n${body}\r\n`);
      const { data } = await answers.take({ what: `answer of ${subject}`, where: (each) => each.subject === reply });
      return JSON.parse(data.toString("utf8")) as Readonly<Record<string, unknown>>;
    },
    close: () => void socket.destroy(),
  };
}

/** Calls back for every line of the server, with the payload of those that have one. */
function readFrames(socket: Socket, frame: (line: string, payload: Buffer) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const end = bytes.indexOf("\r\n");
      if (end === -1) return;
      const line = bytes.subarray(0, end).toString("utf8");
      const size = messageLine.exec(line)?.[6];
      const next = size === undefined ? end + 2 : end + 2 + Number(size) + 2;
      if (bytes.length < next) return;
      const payload = bytes.subarray(end + 2, size === undefined ? end + 2 : next - 2);
      bytes = bytes.subarray(next);
      frame(line, payload);
    }
  });
}

function headerPairs(block: string): readonly (readonly [string, string])[] {
  return block
    .split("\r\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const);
}
