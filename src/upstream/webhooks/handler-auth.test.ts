import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { jwtVerify } from "jose";
import { FakeTime } from "../../../tests/support/fake-time.ts";
import type { HandlerAuth } from "../settings.ts";
import { type Authenticator, createAuthenticator } from "./handler-auth.ts";

const credentials: HandlerAuth & { readonly type: "ClientCredentials" } = {
  type: "ClientCredentials",
  tokenUrl: "https://login.example.com/token",
  clientId: "client",
  credential: { kind: "secret", secret: "s3cret" },
  scope: "api://app/.default",
  audience: null,
};

type Reply = { readonly status: number; readonly body: string } | null;

function setUp(auth: HandlerAuth, answer: (count: number) => Reply | Promise<Reply> = () => null) {
  const time = new FakeTime();
  const forms: URLSearchParams[] = [];
  const reasons: string[] = [];
  const authenticator: Authenticator | null = createAuthenticator(auth, {
    clock: time,
    fetchToken: async (_url, form) => await answer(forms.push(form)),
    failed: (reason) => void reasons.push(reason),
  });
  return { time, forms, reasons, authenticator };
}

const token = (text: string, lifetime: unknown = 3600) => ({
  status: 200,
  body: JSON.stringify({ access_token: text, token_type: "Bearer", expires_in: lifetime }),
});

test("E-12 None sends nothing, Bearer its token", () => {
  expect(setUp({ type: "None" }).authenticator).toBeNull();
  expect(setUp({ type: "Bearer", token: "t" }).authenticator?.authorization()).toBe("Bearer t");
});

test("E-12 one token request serves all events until 5 minutes before its end", async () => {
  const { authenticator, forms, time } = setUp(credentials, (count) => token(`t${count}`));
  expect(await Promise.all([authenticator?.authorization(), authenticator?.authorization()])).toEqual([
    "Bearer t1",
    "Bearer t1",
  ]);
  expect(Object.fromEntries(forms[0] ?? [])).toEqual({
    grant_type: "client_credentials",
    client_id: "client",
    client_secret: "s3cret",
    scope: "api://app/.default",
  });
  time.advance(3_300_000 - 1);
  expect(authenticator?.authorization()).toBe("Bearer t1");
  time.advance(1);
  expect(await authenticator?.authorization()).toBe("Bearer t2");
  expect(forms.length).toBe(2);
});

test("E-12 a short-lived token is used for nine tenths of its life", async () => {
  const { authenticator, time } = setUp(credentials, (count) => token(`t${count}`, "100"));
  await authenticator?.authorization();
  time.advance(90_000 - 1);
  expect(authenticator?.authorization()).toBe("Bearer t1");
  time.advance(1);
  expect(await authenticator?.authorization()).toBe("Bearer t2");
});

test("E-12 a rejected token is replaced, a late rejection of an older one is not heard", async () => {
  const { authenticator } = setUp(credentials, (count) => token(`t${count}`));
  await authenticator?.authorization();
  authenticator?.reject("Bearer t1");
  expect(await authenticator?.authorization()).toBe("Bearer t2");
  authenticator?.reject("Bearer t1");
  expect(authenticator?.authorization()).toBe("Bearer t2");
});

test.each([
  [null, "the token endpoint could not be reached"],
  [{ status: 400, body: '{"error":"invalid_client"}' }, "the token endpoint answered 400 without a usable token"],
  [{ status: 200, body: "<html>" }, "the token endpoint answered 200 without a usable token"],
  [{ status: 200, body: '{"access_token":"a\\r\\nb"}' }, "the token endpoint answered 200 without a usable token"],
])("E-12 without a usable token there is no authorization (%#)", async (reply, reason) => {
  const { authenticator, reasons } = setUp(credentials, () => reply);
  expect(await authenticator?.authorization()).toBeNull();
  expect(reasons).toEqual([reason]);
});

test.each([
  ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })],
] as const)("E-12 a private key signs the client assertion (%s)", async (algorithm, { privateKey, publicKey }) => {
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const { authenticator, forms, time } = setUp({ ...credentials, credential: { kind: "privateKey", pem } }, () =>
    token("t"),
  );
  await authenticator?.authorization();
  expect(forms[0]?.get("client_secret")).toBeNull();
  expect(forms[0]?.get("client_assertion_type")).toBe("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  const { payload, protectedHeader } = await jwtVerify(forms[0]?.get("client_assertion") ?? "", publicKey, {
    audience: credentials.tokenUrl,
    currentDate: new Date(time.now()),
  });
  expect(protectedHeader.alg).toBe(algorithm);
  expect([payload.iss, payload.sub]).toEqual(["client", "client"]);
});

test("E-12 an unusable private key is a failure, not an exception", async () => {
  const { authenticator, reasons } = setUp({ ...credentials, credential: { kind: "privateKey", pem: "nonsense" } });
  expect(await authenticator?.authorization()).toBeNull();
  expect(reasons).toEqual(["the private key cannot be used"]);
});
