import { type Command, Option } from "commander";
import type { Ending } from "../ending.ts";
import { addTarget, readTarget, type TargetOptions } from "../target.ts";
import { addGroup, addVerb, ends, hubNameOption, requiredOption } from "../verb.ts";
import { callRest, doneOrRefused, type RestCall, yesOrNo } from "./rest-call.ts";

interface HubOptions extends TargetOptions {
  readonly hubName: string;
}

interface MessageOptions extends HubOptions {
  readonly payload: string;
  readonly contentType: string;
}

type Named<Name extends string> = Readonly<Record<Name, string>>;

/** The verbs of `az webpubsub service`, over the REST API (management 17, M-62). */
export function addServiceVerbs(program: Command): void {
  const service = addGroup(program, "service", "Send messages and manage connections of a running service.");
  addBroadcast(service);
  addGroupVerbs(service);
  addUserVerbs(service);
  addConnectionVerbs(service);
  addPermissionVerbs(service);
}

function addBroadcast(service: Command): void {
  const verb = addVerb(service, {
    name: "broadcast",
    summary: "Send a message to all connections of a hub.",
    example: 'tidewire service broadcast --hub-name chat --payload "hello everyone"',
  });
  withMessage(verb).action(
    ends((options: MessageOptions) => change(options, { method: "POST", path: [":send"], ...messageOf(options) })),
  );
}

function addGroupVerbs(service: Command): void {
  const group = addGroup(service, "group", "Groups of a hub.");
  for (const [name, method, summary] of [
    ["add-connection", "PUT", "Put a connection into a group."],
    ["remove-connection", "DELETE", "Take a connection out of a group."],
  ] as const) {
    const example = `tidewire service group ${name} --hub-name chat --group-name room --connection-id c1`;
    withHub(addVerb(group, { name, summary, example }))
      .addOption(groupOption())
      .addOption(connectionOption())
      .action(
        ends((options: HubOptions & Named<"groupName" | "connectionId">) =>
          change(options, { method, path: ["groups", options.groupName, "connections", options.connectionId] }),
        ),
      );
  }
  for (const [name, method, summary] of [
    ["add-user", "PUT", "Put all connections of a user into a group."],
    ["remove-user", "DELETE", "Take all connections of a user out of a group."],
  ] as const) {
    const example = `tidewire service group ${name} --hub-name chat --group-name room --user-id ann`;
    withHub(addVerb(group, { name, summary, example }))
      .addOption(groupOption())
      .addOption(userOption())
      .action(
        ends((options: HubOptions & Named<"groupName" | "userId">) =>
          change(options, { method, path: ["users", options.userId, "groups", options.groupName] }),
        ),
      );
  }
  const send = addVerb(group, {
    name: "send",
    summary: "Send a message to a group.",
    example: 'tidewire service group send --hub-name chat --group-name room --payload "hello room"',
  });
  withMessage(send)
    .addOption(groupOption())
    .action(
      ends((options: MessageOptions & Named<"groupName">) =>
        change(options, { method: "POST", path: ["groups", options.groupName, ":send"], ...messageOf(options) }),
      ),
    );
}

function addUserVerbs(service: Command): void {
  const user = addGroup(service, "user", "Users of a hub.");
  const exist = addVerb(user, {
    name: "exist",
    summary: "Print whether a user has a connection: true or false.",
    example: "tidewire service user exist --hub-name chat --user-id ann",
  });
  withHub(exist)
    .addOption(userOption())
    .action(ends((options: HubOptions & Named<"userId">) => ask(options, { path: ["users", options.userId] })));
  const send = addVerb(user, {
    name: "send",
    summary: "Send a message to all connections of a user.",
    example: 'tidewire service user send --hub-name chat --user-id ann --payload "hello ann"',
  });
  withMessage(send)
    .addOption(userOption())
    .action(
      ends((options: MessageOptions & Named<"userId">) =>
        change(options, { method: "POST", path: ["users", options.userId, ":send"], ...messageOf(options) }),
      ),
    );
}

function addConnectionVerbs(service: Command): void {
  const connection = addGroup(service, "connection", "Connections of a hub.");
  const exist = addVerb(connection, {
    name: "exist",
    summary: "Print whether a connection exists: true or false.",
    example: "tidewire service connection exist --hub-name chat --connection-id c1",
  });
  withHub(exist)
    .addOption(connectionOption())
    .action(
      ends((options: HubOptions & Named<"connectionId">) =>
        ask(options, { path: ["connections", options.connectionId] }),
      ),
    );
  const close = addVerb(connection, {
    name: "close",
    summary: "Close a connection.",
    example: 'tidewire service connection close --hub-name chat --connection-id c1 --reason "bye"',
  });
  withHub(close)
    .addOption(connectionOption())
    .addOption(new Option("--reason <text>", "Reason that the client is told."))
    .action(
      ends(({ reason, ...options }: HubOptions & Named<"connectionId"> & { readonly reason?: string }) =>
        change(options, { method: "DELETE", path: ["connections", options.connectionId], query: { reason } }),
      ),
    );
  const send = addVerb(connection, {
    name: "send",
    summary: "Send a message to a connection.",
    example: 'tidewire service connection send --hub-name chat --connection-id c1 --payload "hello you"',
  });
  withMessage(send)
    .addOption(connectionOption())
    .action(
      ends((options: MessageOptions & Named<"connectionId">) => {
        const path = ["connections", options.connectionId, ":send"];
        return change(options, { method: "POST", path, ...messageOf(options) });
      }),
    );
}

interface PermissionOptions extends HubOptions {
  readonly permission: string;
  readonly connectionId: string;
  readonly groupName?: string;
}

function addPermissionVerbs(service: Command): void {
  const permission = addGroup(service, "permission", "Permissions of a connection.");
  for (const [name, summary] of [
    ["grant", "Grant a connection a permission."],
    ["revoke", "Revoke a permission of a connection."],
    ["check", "Print whether a connection has a permission: true or false."],
  ] as const) {
    const example = `tidewire service permission ${name} --hub-name chat --connection-id c1 --permission sendToGroup --group-name room`;
    withHub(addVerb(permission, { name, summary, example }))
      .addOption(connectionOption())
      .addOption(
        requiredOption("--permission <permission>", "The permission.").choices(["joinLeaveGroup", "sendToGroup"]),
      )
      .addOption(new Option("--group-name <group>", "Group it is for; without one it depends on the service."))
      .action(
        ends((options: PermissionOptions) => {
          const path = ["permissions", options.permission, "connections", options.connectionId];
          const query = { targetName: options.groupName };
          if (name === "check") return ask(options, { path, query });
          return change(options, { method: name === "grant" ? "PUT" : "DELETE", path, query });
        }),
      );
  }
}

async function change(options: HubOptions, call: RestCall): Promise<Ending> {
  const target = readTarget(options);
  if (!target.ok) return target;
  return doneOrRefused(await callRest(target.service, { ...call, path: [options.hubName, ...call.path] }));
}

async function ask(options: HubOptions, call: Pick<RestCall, "path" | "query">): Promise<Ending> {
  const target = readTarget(options);
  if (!target.ok) return target;
  return yesOrNo(await callRest(target.service, { ...call, method: "HEAD", path: [options.hubName, ...call.path] }));
}

function withHub(verb: Command): Command {
  return addTarget(verb).addOption(hubNameOption());
}

function withMessage(verb: Command): Command {
  return withHub(verb)
    .addOption(requiredOption("--payload <text>", "The message."))
    .addOption(
      new Option("--content-type <type>", "What the message is.")
        .choices(["text/plain", "application/json"])
        .default("text/plain"),
    );
}

function messageOf({ payload, contentType }: MessageOptions): Pick<RestCall, "message"> {
  return { message: { text: payload, contentType } };
}

const groupOption = (): Option => requiredOption("--group-name <group>", "Name of the group.");
const userOption = (): Option => requiredOption("--user-id <user>", "Id of the user.");
const connectionOption = (): Option => requiredOption("--connection-id <connection>", "Id of the connection.");
