import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { tidewire } from "../../support/command-line.ts";
import { startServer } from "../../support/server.ts";
import { tempDir } from "../../support/temp.ts";

test("cert makes the local authority once and prints its certificate; --path names the file that holds it", async () => {
  const data = tempDir();
  const first = await tidewire(["cert", "--data", data]);
  expect(first).toMatchObject({ exitCode: 0, stderr: "" });
  expect(new X509Certificate(first.stdout).ca).toBe(true);
  const { exitCode, stdout, stderr } = await tidewire(["cert", "--data", data, "--path"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^\/.+\n$/);
  expect(readFileSync(stdout.trimEnd(), "utf8")).toBe(first.stdout);
});

test("cert prints the authority that a service with that data folder presents", async () => {
  const server = await startServer({ service: { listen: [{ url: "https://localhost:0" }] } });
  expect(await tidewire(["cert", "--data", server.dataDir])).toEqual({
    exitCode: 0,
    stdout: server.ca ?? "",
    stderr: "",
  });
  await server.stop();
});
