import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Server, startServer } from "../support/server.ts";

let server: Server;
let origin: string;
let signInToken: string;
beforeAll(async () => {
  server = await startServer({ service: { adminListen: { url: "http://127.0.0.1:0" } } });
  const [, base = "", token = ""] = /^ {2}Console +(\S+)\/#signin=(\S+)$/m.exec(server.output()) ?? [];
  origin = base;
  signInToken = token;
});
afterAll(async () => await server.stop());

const marked = { "X-Tidewire-Console": "1" };

function signIn(token: string, headers: Record<string, string> = marked): Promise<Response> {
  return fetch(`${origin}/console/session`, { method: "POST", headers, body: JSON.stringify({ token }) });
}

/** The headers of a request of a signed-in browser. */
async function session(): Promise<{ readonly cookie: string; readonly "X-Tidewire-Console": string }> {
  const answer = await signIn(signInToken);
  const { key } = (await answer.json()) as { readonly key: string };
  return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "", "X-Tidewire-Console": key };
}

const statusWith = async (headers: Record<string, string>): Promise<number> =>
  (await fetch(`${origin}/admin/status`, { headers })).status;

test("H-58 the page has a policy without inline scripts and styles, and may not be framed or sniffed", async () => {
  const page = await fetch(`${origin}/`);
  expect(page.status).toBe(200);
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  // Sockets to this service alone.
  expect(policy).toContain(`connect-src 'self' ${server.endpoint.replace("http", "ws")};`);
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect(page.headers.get("referrer-policy")).toBe("no-referrer");
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/i);
});

test("the files of the page are immutable and served to everybody; they hold no secret", async () => {
  const html = await (await fetch(`${origin}/`)).text();
  const paths = Array.from(html.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g), ([, path = ""]) => path);
  expect(new Set(paths.map((path) => path.split(".").at(-1)))).toEqual(new Set(["css", "js", "svg"]));
  for (const path of paths) {
    const file = await fetch(`${origin}${path}`);
    expect([file.status, file.headers.get("cache-control")]).toEqual([200, "public, max-age=31536000, immutable"]);
    const text = await file.text();
    for (const secret of [signInToken, server.primaryKey, server.secondaryKey]) expect(text).not.toContain(secret);
  }
  for (const path of ["/console/none.js", "/console/../package.json", "/console/%2e%2e/package.json", "/index.html"]) {
    expect((await fetch(`${origin}${path}`)).status).toBe(401);
  }
});

test("the public listener has no console", async () => {
  for (const path of ["/", "/console/session", "/admin/status"]) {
    expect((await server.rest({ method: "GET", path, token: null, apiVersion: null })).status).toBe(404);
  }
});

test("a session stands for the administration token, with the key that no other origin has", async () => {
  const { cookie, ...key } = await session();
  expect(await statusWith({ cookie, ...key })).toBe(200);
  expect(await statusWith({ cookie })).toBe(401);
  expect(await statusWith({ cookie, ...marked })).toBe(401);
  expect(await statusWith(key)).toBe(401);
  expect(await statusWith({ cookie: cookie.replace(/=.*/, "=forged"), ...key })).toBe(401);
});

test("a wrong token signs nobody in, and is logged without itself", async () => {
  const from = server.output().length;
  for (const token of ["", "wrong-token-0123456789", signInToken.slice(0, -1), signInToken.toLowerCase()]) {
    const refused = await signIn(token);
    expect([refused.status, refused.headers.get("set-cookie")]).toEqual([401, null]);
  }
  expect((await signIn(signInToken, {})).status).toBe(403);
  for (const body of ["{", "[]", "null", `"${signInToken}"`, JSON.stringify({ token: 1 })]) {
    const refused = await fetch(`${origin}/console/session`, { method: "POST", headers: marked, body });
    expect(refused.status).toBe(401);
  }
  await server.process.written(/AdministrationRefused/, { from });
  expect(server.output().slice(from)).not.toContain("wrong-token");
});

test("signing out ends the session", async () => {
  const headers = await session();
  const ask = (method: string) => fetch(`${origin}/console/session`, { method, headers });
  expect(await (await ask("GET")).json()).toEqual({ signedIn: true });
  expect((await ask("DELETE")).headers.get("set-cookie")).toContain("Max-Age=0");
  expect(await (await ask("GET")).json()).toEqual({ signedIn: false });
  expect(await statusWith(headers)).toBe(401);
});

test("the page and the sessions are for the listener's own names alone", async () => {
  for (const path of ["/", "/console/session"]) {
    const answer = await fetch(`${origin}${path}`, { headers: { ...marked, Host: "rebound.example.com" } });
    expect(answer.status).toBe(421);
  }
});
