import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findProgram } from "../../tooling/programs.ts";
import { circumstances } from "../report.ts";
import { launch, startService } from "../server.ts";
import { startConfigured } from "./configured.ts";
import type { Peer } from "./peer.ts";
import { debianProgram, goProgram, versionOf } from "./programs.ts";

const natsModule = "github.com/nats-io/nats-server/v2@v2.15.2";
const centrifugoModule = "github.com/centrifugal/centrifugo/v6@latest";

/** One thread at a time runs Go code: cheaper per delivery, measured (README.md). CPU time is counted for all threads. */
const oneCore = { GOMAXPROCS: "1" };

/** Who is compared, in the order of the table. */
export const peers: readonly Peer[] = [
  {
    name: "tidewire",
    dialect: "tidewire",
    install: async () => ({
      version: `tidewire ${circumstances(false).commit ?? "?"}, Bun ${Bun.version}`,
      start: () => startService(null),
    }),
  },
  {
    name: "ws",
    dialect: "ws",
    install: () => onNode("ws", fileURLToPath(new URL("ws/server.process.ts", import.meta.url))),
  },
  {
    name: "ws-bun",
    dialect: "ws",
    install: async () => ({
      version: `Bun ${Bun.version}, its own "ws"`,
      start: () => launch([process.execPath, fileURLToPath(new URL("ws/server.process.ts", import.meta.url))]),
    }),
  },
  {
    name: "socket.io",
    dialect: "socket.io",
    install: () => onNode("socket.io", fileURLToPath(new URL("socket.io/server.process.ts", import.meta.url))),
  },
  {
    name: "socket.io-bun",
    dialect: "socket.io",
    install: async () => ({
      version: `socket.io ${packageVersion("socket.io")}, Bun ${Bun.version} (default engine)`,
      start: () => launch([process.execPath, fileURLToPath(new URL("socket.io/server.process.ts", import.meta.url))]),
    }),
  },
  {
    name: "nats",
    dialect: "nats",
    async install() {
      // Debian's is years older than the newest one.
      const built = await goProgram("nats-server", natsModule);
      const program = "path" in built ? built : await debianProgram("nats-server");
      if ("problem" in program) return program;
      const { path } = program;
      return {
        version: `nats-server ${await versionOf([path, "--version"], /v(\d\S*)/)}`,
        start: () =>
          startConfigured({
            template: new URL("nats/nats.conf", import.meta.url),
            command: (config) => [path, "--config", config],
            env: oneCore,
          }),
      };
    },
  },
  {
    name: "mosquitto",
    dialect: "mqtt",
    async install() {
      const program = await debianProgram("mosquitto");
      if ("problem" in program) return program;
      const { path } = program;
      return {
        version: `mosquitto ${await versionOf([path, "-h"], /version (\S+)/)}`,
        start: () =>
          startConfigured({
            template: new URL("mosquitto/mosquitto.conf", import.meta.url),
            command: (config) => [path, "-c", config],
          }),
      };
    },
  },
  {
    name: "centrifugo",
    dialect: "centrifugo",
    async install() {
      const onPath = Bun.which("centrifugo");
      const program = onPath === null ? await goProgram("centrifugo", centrifugoModule) : { path: onPath };
      if ("problem" in program) return program;
      const { path } = program;
      return {
        version: `centrifugo ${await versionOf([path, "version"], /v?(\d+\.\d+\.\d+)/)}`,
        start: () =>
          startConfigured({
            template: new URL("centrifugo/config.json", import.meta.url),
            command: (config) => [path, "--config", config],
            env: oneCore,
          }),
      };
    },
  },
];

/** A server of ours on an npm package, in the Node of the development dependencies. */
async function onNode(name: string, program: string): ReturnType<Peer["install"]> {
  const node = await findProgram("node");
  if ("problem" in node) return node;
  const runtime = await versionOf([node.path, "--version"], /v(\S+)/);
  return {
    version: `${name} ${packageVersion(name)}, Node ${runtime}`,
    start: () => launch([node.path, program]),
  };
}

function packageVersion(name: string): string {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
}
