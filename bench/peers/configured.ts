import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, type RunningServer } from "../server.ts";

/** How a program is started with a configuration file. */
export interface Configured {
  /** File in which `${PORT}` stands for the port and `${SPARE_PORT}` for one that nobody uses. */
  readonly template: URL;
  readonly command: (config: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program with its configuration file, at a port that is free. */
export async function startConfigured({ template, command, env = {} }: Configured): Promise<RunningServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tidewire-peer-"));
  const file = fileURLToPath(template);
  const config = join(folder, basename(file));
  const text = readFileSync(file, "utf8").replaceAll("${PORT}", String(port));
  writeFileSync(config, text.replaceAll("${SPARE_PORT}", String(await freePort())));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  return launch(command(config), { env, clean, port });
}

/** A port that was free a moment ago: these programs cannot be asked which one they took. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
