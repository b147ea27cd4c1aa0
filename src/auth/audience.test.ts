import { describe, expect, test } from "bun:test";
import {
  type AudiencePolicy,
  type ClientAddress,
  clientAudience,
  createAudienceValidator,
  type RestAddress,
} from "./audience.ts";

const open: AudiencePolicy = { publicEndpoints: [], pathBase: "", validateHost: true };
const listPath = "/api/hubs/chat/groups/room/connections";

interface Case {
  readonly policy?: Partial<AudiencePolicy>;
  readonly request?: Partial<RestAddress>;
}

function rest(aud: unknown, { policy, request }: Case = {}): boolean {
  const address = { host: "localhost", forwardedHost: null, method: "GET", rawPath: `${listPath}/`, ...request };
  return createAudienceValidator({ ...open, ...policy }).checkRest({ aud }, address).ok;
}

function client(aud: unknown, request: Partial<ClientAddress> = {}, policy: Partial<AudiencePolicy> = {}): boolean {
  const address: ClientAddress = {
    host: "localhost:8080",
    forwardedHost: null,
    kind: "default",
    hub: "chat",
    hubInQuery: false,
    ...request,
  };
  return createAudienceValidator({ ...open, ...policy }).checkClient({ aud }, address).ok;
}

describe("REST audience", () => {
  test("R-18 R-19 the full URL is accepted with its query, without it and with another one", () => {
    expect(rest(`http://localhost${listPath}/?maxpagesize=1`)).toBe(true);
    expect(rest(`http://localhost${listPath}/`)).toBe(true);
    expect(rest(`http://localhost${listPath}`)).toBe(true);
    expect(rest(`https://localhost${listPath}?maxpagesize=99`)).toBe(true);
    expect(rest(`http://localhost${listPath}#fragment`)).toBe(true);
  });

  test("R-20 https, ws and wss are as good as http, other schemes are refused", () => {
    for (const scheme of ["http", "https", "ws", "wss", "HTTPS"])
      expect(rest(`${scheme}://localhost${listPath}`)).toBe(true);
    for (const scheme of ["ftp://", "", "//", "httpx://", "http:/", " http://"])
      expect(rest(`${scheme}localhost${listPath}`)).toBe(false);
  });

  test("R-21 a trailing slash and a child are accepted, a longer last segment is refused", () => {
    expect(rest(`ws://localhost${listPath}/`)).toBe(true);
    expect(rest(`wss://localhost${listPath}/child`)).toBe(true);
    expect(rest(`http://localhost${listPath}Suffix`)).toBe(false);
    expect(rest(`http://localhost${listPath}%253Fquery`)).toBe(false);
    expect(rest(`http://localhost${listPath}%3Fquery`)).toBe(false);
  });

  test("R-22 the audience of another hub, group, user or operation is refused", () => {
    expect(rest("http://localhost/api/hubs/other/groups/room/connections")).toBe(false);
    expect(rest("http://localhost/api/hubs/chat/groups/room2/connections")).toBe(false);
    expect(rest("http://localhost/api/hubs/chat/groups/room")).toBe(false);
    const send = { request: { method: "POST", rawPath: "/api/hubs/chat/users/ann/:send" } };
    expect(rest("http://localhost/api/hubs/chat/users/ann/:send", send)).toBe(true);
    expect(rest("http://localhost/api/hubs/chat/users/bob/:send", send)).toBe(false);
    expect(rest("http://localhost/api/hubs/chat/users/ann/:closeConnections", send)).toBe(false);
    expect(rest("http://localhost/api/hubs/chat", send)).toBe(false);
  });

  test("R-23 letter case of the path does not matter, character by character", () => {
    expect(rest(`http://LOCALHOST${listPath.toUpperCase()}`)).toBe(true);
    const user = (name: string) => ({ request: { rawPath: `/api/hubs/chat/users/${encodeURIComponent(name)}` } });
    const audience = (name: string) => `http://localhost/api/hubs/chat/users/${encodeURIComponent(name)}`;
    expect(rest(audience("ÄNN"), user("änn"))).toBe(true);
    for (const [name, other] of [
      ["ß", "ss"],
      ["\u212a", "k"],
      ["ı", "i"],
      ["ſ", "s"],
      ["İ", "i̇"],
    ] as const) {
      expect(rest(audience(name), user(other))).toBe(false);
      expect(rest(audience(name), user(name))).toBe(true);
    }
  });

  test("R-24 default ports are elided on both sides", () => {
    const path = { rawPath: "/api/hubs/chat/:send", host: "host" };
    expect(rest("https://host:443/api/hubs/chat/:send", { request: path })).toBe(true);
    expect(rest("http://host:80/api/hubs/chat/:send", { request: path })).toBe(true);
    expect(rest("https://host/api/hubs/chat/:send", { request: { ...path, host: "host:443" } })).toBe(true);
    expect(rest("https://host:80/api/hubs/chat/:send", { request: { ...path, host: "host:80" } })).toBe(true);
    expect(rest("https://host:8443/api/hubs/chat/:send", { request: path })).toBe(false);
    expect(rest("http://host:443/api/hubs/chat/:send", { request: path })).toBe(false);
    expect(rest("http://[::1]:80/api/hubs/chat/:send", { request: { ...path, host: "[::1]" } })).toBe(true);
  });

  test("R-25 the host is the request's, a trusted forwarded one or a public endpoint's", () => {
    const audience = `https://pubsub.example.com${listPath}`;
    expect(rest(audience)).toBe(false);
    expect(rest(audience, { policy: { publicEndpoints: ["https://pubsub.example.com"] } })).toBe(true);
    expect(rest(audience, { policy: { publicEndpoints: ["https://pubsub.example.com:443/"] } })).toBe(true);
    expect(rest(audience, { request: { forwardedHost: "PubSub.example.com" } })).toBe(true);
    expect(rest(audience, { policy: { validateHost: false } })).toBe(true);
    expect(rest(`https://user@localhost${listPath}`)).toBe(false);
    expect(rest(`https://localhost.evil.example${listPath}`)).toBe(false);
  });

  test("R-27 the URL of the hub is accepted for a broadcast and for nothing else", () => {
    const send = { request: { method: "POST", rawPath: "/api/hubs/chat/:send" } };
    for (const path of ["/api/hubs/chat", "/api/hubs/chat/", "/API/hubs/CHAT"])
      expect(rest(`http://localhost${path}`, send)).toBe(true);
    expect(
      rest("http://localhost/api/hubs/chat", { request: { method: "POST", rawPath: "/api/hubs/chat/%3Asend" } }),
    ).toBe(true);
    expect(rest("http://localhost/api/hubs/other", send)).toBe(false);
    expect(rest("http://localhost/api/hubs/chat/groups", send)).toBe(false);
    expect(
      rest("http://localhost/api/hubs/chat", {
        request: { method: "POST", rawPath: "/api/hubs/chat/:closeConnections" },
      }),
    ).toBe(false);
    expect(
      rest("http://localhost/api/hubs/chat", { request: { method: "POST", rawPath: "/api/hubs/chat/groups/g/:send" } }),
    ).toBe(false);
    expect(
      rest("http://localhost/api/hubs/chat", { request: { method: "GET", rawPath: "/api/hubs/chat/:send" } }),
    ).toBe(false);
  });

  test("R-31 one match in an array suffices, other types match nothing", () => {
    expect(rest(["x", 5, `http://localhost${listPath}`])).toBe(true);
    for (const aud of [[], ["x"], undefined, null, 5, {}, [[`http://localhost${listPath}`]]])
      expect(rest(aud)).toBe(false);
  });

  test("R-32 a client audience is refused", () => {
    expect(
      rest("http://localhost/client/hubs/chat", { request: { method: "POST", rawPath: "/api/hubs/chat/:send" } }),
    ).toBe(false);
  });

  test("R-36 the path base may stand in the audience, the request or both", () => {
    const policy = { pathBase: "/pubsub" };
    for (const base of ["", "/pubsub", "/PubSub"]) {
      for (const rawPath of [listPath, `/pubsub${listPath}`]) {
        expect(rest(`http://localhost${base}${listPath}`, { policy, request: { rawPath } })).toBe(true);
      }
    }
    expect(rest(`http://localhost/other${listPath}`, { policy })).toBe(false);
    expect(rest(`http://localhost/pubsubx${listPath}`, { policy })).toBe(false);
    expect(rest(`http://localhost/pubsub${listPath}`)).toBe(false);
    expect(
      rest("http://localhost/pubsub/api/hubs/chat", {
        policy,
        request: { method: "POST", rawPath: "/pubsub/api/hubs/chat/:send" },
      }),
    ).toBe(true);
  });

  test("R-18 percent-encoded and mixed forms of one path match each other", () => {
    const request = { rawPath: "/api/hubs/chat%5B1%5D/groups/room%2Fpart/:send", method: "POST" };
    expect(
      rest("http://localhost/api/hubs/chat%5B1%5D/groups/room%2Fpart/:send?api-version=2024-12-01", { request }),
    ).toBe(true);
    expect(rest("http://localhost/api/hubs/chat[1]/groups/room%2Fpart/:send", { request })).toBe(true);
    expect(rest("http://localhost/api/hubs/chat[1]/groups/room/part/:send", { request })).toBe(true);
    expect(rest("http://localhost/api/hubs/chat[1]/groups/room%252Fpart/:send", { request })).toBe(true);
    expect(rest("http://localhost/api/hubs/chat%5B1%5D/groups/room%25252Fpart/:send", { request })).toBe(false);
    const malformed = { rawPath: "/api/hubs/chat/users/100%/:send" };
    expect(rest("http://localhost/api/hubs/chat/users/100%/:send", { request: malformed })).toBe(true);
    expect(rest("http://localhost/api/hubs/chat/users/%zz/:send", { request: malformed })).toBe(false);
  });

  test("a request for the root accepts no audience", () => {
    expect(rest(`http://localhost${listPath}`, { request: { rawPath: "/" } })).toBe(false);
  });

  test("a mismatch is explained in the service's words, on one printable line", () => {
    const check = createAudienceValidator({ ...open, publicEndpoints: ["https://ps.example.com/"] }).checkRest(
      { aud: ["http://other/x", `line\nbreak${"x".repeat(1000)}`] },
      { host: "localhost", forwardedHost: null, method: "GET", rawPath: "/api/hubs/chat/:send" },
    );
    const message = check.ok ? "" : check.message;
    expect(message).toStartWith(
      "Failed to validate audience. Expected Audiences: http://localhost/api/hubs/chat/:send, https://ps.example.com/api/hubs/chat/:send. Actual Audiences: http://other/x, line?breakxxx",
    );
    expect(message.length).toBeLessThan(700);
  });
});

describe("client audience", () => {
  test("C-10 scheme, default port, letter case and arrays do not matter", () => {
    for (const scheme of ["http", "https", "ws", "wss"])
      expect(client(`${scheme}://localhost:8080/client/hubs/chat`)).toBe(true);
    expect(client("HTTP://LocalHost:8080/Client/Hubs/CHAT")).toBe(true);
    expect(client("https://ex.com:443/client/hubs/chat", { host: "ex.com" })).toBe(true);
    expect(client("https://ex.com/client/hubs/chat", { host: "ex.com:443" })).toBe(true);
    expect(client(["x", "http://localhost:8080/client/hubs/chat"])).toBe(true);
    expect(client("http://localhost:8080/client/hubs/chat/")).toBe(true);
    expect(client("http://localhost:8080/client/hubs/ch%61t")).toBe(true);
  });

  test("C-6 the audience of another hub, host, path or of the REST API is refused", () => {
    for (const path of [
      "/client/hubs/other",
      "/client/hubs/chatx",
      "/client/hubs/chat/x",
      "/client/hubs/",
      "/api/hubs/chat",
      "",
    ]) {
      expect(client(`http://localhost:8080${path}`)).toBe(false);
    }
    expect(client("http://localhost:8081/client/hubs/chat")).toBe(false);
    expect(client("http://elsewhere/client/hubs/chat")).toBe(false);
    expect(client("http://elsewhere/client/hubs/chat", {}, { publicEndpoints: ["https://elsewhere"] })).toBe(true);
    expect(client(undefined)).toBe(false);
  });

  test("C-2 a request of the older form takes both audience forms, one of the newer form its own only", () => {
    for (const audience of ["/client/?hub=chat", "/client?hub=CHAT", "/client/?x=1&hub=chat", "/client/hubs/chat"]) {
      expect(client(`http://localhost:8080${audience}`, { hubInQuery: true })).toBe(true);
    }
    for (const audience of ["/client/?hub=other", "/client/", "/client/?hub=chat&hub=other", "/clients?hub=chat"]) {
      expect(client(`http://localhost:8080${audience}`, { hubInQuery: true })).toBe(false);
    }
    expect(client("http://localhost:8080/client/?hub=chat")).toBe(false);
  });

  test("Q-5 each kind of client has its own audience", () => {
    const kinds = ["default", "mqtt", "socketio"] as const;
    for (const minted of kinds) {
      const audience = clientAudience("http://localhost:8080", minted, "chat");
      for (const kind of kinds) expect(client(audience, { kind })).toBe(kind === minted);
    }
  });

  test("C-11 the audience an SDK derives from an endpoint with a path base is accepted", () => {
    expect(client("http://localhost:8080/base/client/hubs/chat", {}, { pathBase: "/base" })).toBe(true);
    expect(client("http://localhost:8080/client/hubs/chat", {}, { pathBase: "/base" })).toBe(true);
  });
});
