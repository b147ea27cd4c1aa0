// The client SDK in Node with its preview features: streams to groups and invocations. Driven by the tests beside it.
import {
  type GroupStream,
  type GroupStreamWriter,
  type OnGroupStreamOptions,
  type OpenGroupStreamOptions,
  type StreamEndError,
  WebPubSubClient,
  type WebPubSubDataType,
  WebPubSubJsonProtocol,
} from "@azure/web-pubsub-client";
import { report, serve } from "../../support/agent-process.ts";

interface Member {
  readonly client: WebPubSubClient;
  readonly happened: string[];
}

interface Invocation {
  readonly event: string;
  readonly content: unknown;
  readonly dataType: WebPubSubDataType;
}

/** How many fragments apart progress is reported. */
const stride = 50;
const members = new Map<number, Member>();
/** By the name that the test gave, which only a later one of the same name replaces. */
const writers = new Map<string, GroupStreamWriter>();
const writerErrors = new Map<string, string[]>();
const aborts = new Map<string, AbortController>();

serve({
  connect: async (id: number, url: string, protocol: "plain" | "reliable") => {
    const chosen = protocol === "plain" ? { protocol: WebPubSubJsonProtocol() } : {};
    const client = new WebPubSubClient({ getClientAccessUrl: () => Promise.resolve(url) }, chosen);
    const member: Member = { client, happened: [] };
    members.set(id, member);
    const connected = Promise.withResolvers<string>();
    client.on("connected", ({ connectionId }) => {
      member.happened.push("connected");
      connected.resolve(connectionId);
    });
    for (const event of ["disconnected", "stopped"] as const) {
      client.on(event as "stopped", () => void member.happened.push(event));
    }
    await client.start();
    return connected.promise;
  },
  /** Names of the events of its connection so far. */
  happened: (id: number) => memberOf(id).happened,
  /**
   * Resolves when what the service answers to everything before has been received. The first round trip of a client that
   * comes back may overtake what its streams send again, the second does not.
   */
  settle: async (id: number) => {
    for (let trip = 0; trip < 2; trip++) await memberOf(id).client.sendToGroup("nobody", "x", "text");
  },
  stop: (id: number) => memberOf(id).client.stop(),

  open: async (id: number, name: string, { group, ...options }: OpenGroupStreamOptions & { group: string }) => {
    const writer = await memberOf(id).client.openGroupStream(group, options);
    const errors: string[] = [];
    writer.onError((error) => {
      errors.push(error.name);
      report({ client: id, name: "writer-error", writer: name, error });
    });
    writers.set(name, writer);
    writerErrors.set(name, errors);
    return writer.streamId;
  },
  /** Writes the numbers of a range as text, one after the other. */
  writeRange: async (name: string, from: number, to: number) => {
    const writer = writerOf(name);
    for (let number = from; number <= to; number++) await writer.write(String(number), "text");
  },
  write: (name: string, content: unknown, dataType: WebPubSubDataType) =>
    writerOf(name).write(
      content instanceof Uint8Array ? new Uint8Array(content).buffer : (content as string),
      dataType,
    ),
  end: (name: string) => writerOf(name).end(),
  abort: (name: string, error: StreamEndError) => writerOf(name).abort(error),
  writerErrors: (name: string) => writerErrors.get(name),

  listen: (id: number, options: OnGroupStreamOptions) => {
    memberOf(id).client.onGroupStream((stream) => follow(id, stream), options);
  },

  invoke: async (id: number, name: string, { event, content, dataType }: Invocation) => {
    const abort = new AbortController();
    aborts.set(name, abort);
    const data = content instanceof Uint8Array ? new Uint8Array(content).buffer : (content as string);
    return memberOf(id).client.invokeEvent(event, data, dataType, { abortSignal: abort.signal });
  },
  cancelInvoke: (name: string) => aborts.get(name)?.abort(),
});

/** Reports what a stream holds, progress in between; texts that count up from 1 are counted, anything else is shown. */
async function follow(client: number, stream: GroupStream): Promise<void> {
  const { groupName, streamId } = stream;
  const others: unknown[] = [];
  let counted = 0;
  const end = { client, name: "stream", groupName, streamId };
  try {
    for await (const { data, dataType, fromUserId, stream: info } of stream) {
      if (data === String(counted + 1) && info.streamSequenceId === counted + 1) counted += 1;
      else others.push({ data, dataType, fromUserId, id: info.streamSequenceId });
      if (counted % stride === 0) report({ client, name: "progress", streamId, counted });
    }
    report({ ...end, counted, others });
  } catch (error) {
    report({ ...end, counted, others, error });
  }
}

function memberOf(id: number): Member {
  const member = members.get(id);
  if (member === undefined) throw new Error(`no client ${id}`);
  return member;
}

function writerOf(name: string): GroupStreamWriter {
  const writer = writers.get(name);
  if (writer === undefined) throw new Error(`no writer ${name}`);
  return writer;
}
