import { lengthOf } from "../core/payload.ts";
import type { ConnectionFacts, MessageTelemetry } from "../core/ports.ts";
import type { Publication } from "../core/publication.ts";
import type { RecordSink, ResourceLevel, ResourceProperties } from "./resource-logs.ts";

/**
 * Writes a MessagingLogs line for each thing that happens to a message (management 14.1). Names and sizes, never a payload.
 */
export function createMessageLines(records: RecordSink): MessageTelemetry {
  const write = (operationName: string, level: ResourceLevel, properties: ResourceProperties): void =>
    records.write({ category: "MessagingLogs", operationName, level, properties });
  const about = (
    { id, userId, hub, callerAddress }: ConnectionFacts,
    line: { readonly operationName: string; readonly level: ResourceLevel; readonly message: string },
  ): void => {
    const { operationName, level, message } = line;
    records.write({
      category: "MessagingLogs",
      operationName,
      level,
      callerIpAddress: callerAddress,
      properties: { message, connectionId: id, userId, hub },
    });
  };
  return {
    published(publication, recipients) {
      const { hub, from } = publication;
      const sender = from.kind === "connection" ? { connectionId: from.id, userId: from.user } : {};
      const message = describePublication(publication, recipients);
      write("MessagePublished", "Informational", { message, ...sender, hub });
    },
    groupChanged(connection, change, group) {
      const isJoin = change === "joined";
      about(connection, {
        operationName: isJoin ? "GroupJoined" : "GroupLeft",
        level: "Informational",
        message: `The connection ${change} group '${group}'.`,
      });
    },
    eventUnhandled(connection, event) {
      const message = `No event handler takes the user event '${event}'.`;
      about(connection, { operationName: "EventUnhandled", level: "Warning", message });
    },
    refused(connection, { name, message }) {
      const text = `A request was refused as ${name}: ${message}`;
      about(connection, { operationName: "RequestRefused", level: "Warning", message: text });
    },
  };
}

function describePublication({ target, payload, from, stream }: Publication, recipients: number): string {
  const whom = recipients === 1 ? "1 connection" : `${recipients} connections`;
  const what = `${payload.kind}, ${lengthOf(payload)} ${payload.kind === "text" || payload.kind === "json" ? "characters" : "bytes"}`;
  const by = from.kind === "server" ? "REST" : "a client";
  const part = stream === null ? "" : ` in stream '${stream.streamId}'`;
  return `A message of ${by} to ${describeTarget(target)}${part} was handed to ${whom} (${what}).`;
}

function describeTarget(target: Publication["target"]): string {
  switch (target.kind) {
    case "hub":
      return "the whole hub";
    case "group":
      return `group '${target.group}'`;
    case "user":
      return `user '${target.user}'`;
    case "connection":
      return `connection '${target.id}'`;
  }
}
