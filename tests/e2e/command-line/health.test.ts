import { expect, test } from "bun:test";
import { tidewire } from "../../support/command-line.ts";
import { freePort } from "../../support/free-port.ts";
import { startServer } from "../../support/server.ts";

test("health says nothing and exits with 0 when the service is healthy, with 1 and one line when nobody is there", async () => {
  const server = await startServer();
  expect(await tidewire(["health", server.endpoint])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  await server.stop();
  const { exitCode, stdout, stderr } = await tidewire(["health", `http://127.0.0.1:${await freePort()}`]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(/^tidewire: http:\/\/127\.0\.0\.1:\d+\/api\/health does not answer \(.+\)\n$/);
});

test("health over https asks no more of the certificate than that there is one", async () => {
  const server = await startServer({ service: { listen: [{ url: "https://localhost:0" }] } });
  expect(await tidewire(["health", server.endpoint])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  await server.stop();
});

test("health without a usable endpoint or timeout is wrong usage", async () => {
  for (const args of [["nowhere"], ["http://127.0.0.1:1", "--timeout", "soon"]]) {
    const { exitCode, stdout, stderr } = await tidewire(["health", ...args]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^tidewire: .+\n$/);
  }
});
