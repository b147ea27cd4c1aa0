import { expect, test } from "bun:test";
import {
  type ClientAccessForm,
  connectCode,
  hubSuggestions,
  playgroundParameters,
  protocols,
  rolesOf,
} from "./client-access.ts";

const form: ClientAccessForm = {
  hub: " chat ",
  userId: "u 1",
  groups: "a,b\n\n c ",
  sendsToAnyGroup: false,
  sendsToGroups: "news\nsport.local",
  joinsAnyGroup: true,
  joinsGroups: "ignored",
  minutes: "5",
  protocol: "json",
  endpoint: "http://localhost:8080",
};

test("roles are those of single groups unless any group is allowed", () => {
  expect(rolesOf(form)).toEqual([
    "webpubsub.sendToGroup.news",
    "webpubsub.sendToGroup.sport.local",
    "webpubsub.joinLeaveGroup",
  ]);
  expect(rolesOf({ ...form, sendsToGroups: " \n", joinsAnyGroup: false, joinsGroups: "" })).toEqual([]);
});

test("the Playground gets what the form says, and no token", () => {
  expect(playgroundParameters(form)).toEqual({
    hub: "chat",
    userId: "u 1",
    group: ["a,b", "c"],
    role: ["webpubsub.sendToGroup.news", "webpubsub.sendToGroup.sport.local", "webpubsub.joinLeaveGroup"],
    protocol: "json.webpubsub.azure.v1",
  });
  expect(playgroundParameters({ ...form, protocol: "none" })["protocol"]).toBe("none");
});

test("the code names the sub-protocol, and the library's protocol where it has one", () => {
  const codes = Object.fromEntries(protocols.map((protocol) => [protocol.id, connectCode(protocol)]));
  expect(codes["none"]).toBe("const socket = new WebSocket(url);");
  expect(codes["protobuf"]).toBe('const socket = new WebSocket(url, "protobuf.webpubsub.azure.v1");');
  expect(codes["json-reliable"]).toContain("WebPubSubJsonReliableProtocol()");
});

test("hubs are suggested once, and the default entry is none", () => {
  expect(hubSuggestions(["*", "Chat", "b"], ["chat", "a"])).toEqual(["a", "b", "chat"]);
});
