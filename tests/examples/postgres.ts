import { spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { SQL } from "bun";
import { freePort } from "../support/free-port.ts";
import { inTime } from "../support/inbox.ts";
import { cleanUpLater } from "../support/reaper.ts";
import { tempDir } from "../support/temp.ts";

/** A PostgreSQL server of its own on a free port, with its data in a folder that is removed. */
export interface Postgres {
  /** The URL of a new empty database. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

const programs = process.env["TIDEWIRE_TEST_POSTGRES"] ?? "/usr/lib/postgresql/15/bin";
const deadlineMs = 60_000;
/** `nobody`, everywhere. */
const nobody = 65534;

/** Starts the server whose programs are in `TIDEWIRE_TEST_POSTGRES`; it refuses to be root, so then it runs as nobody. */
export async function startPostgres(): Promise<Postgres> {
  const parent = tempDir();
  const folder = join(parent, "postgres");
  mkdirSync(folder);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    chmodSync(parent, 0o711);
    chownSync(folder, nobody, nobody);
  }
  const start = (program: string, args: readonly string[]) => {
    const child = spawn(join(programs, program), args, {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
      ...(isRoot ? { uid: nobody, gid: nobody } : {}),
    });
    let output = "";
    const ready = Promise.withResolvers<void>();
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("ready to accept connections")) ready.resolve();
    });
    const ended = new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve();
        else reject(new Error(`${program} ended with ${code}:\n${output}`));
      });
    });
    return { child, ready: Promise.race([ready.promise, ended]), ended };
  };

  const data = join(folder, "data");
  const created = start("initdb", ["-D", data, "-U", "team", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]);
  await inTime(created.ended, "database cluster", deadlineMs);
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories=", "fsync=off"];
  const server = start("postgres", ["-D", data, ...settings.flatMap((setting) => ["-c", setting])]);
  const id = server.child.pid;
  if (id !== undefined) cleanUpLater("started", id);
  await inTime(server.ready, "PostgreSQL", deadlineMs);

  const base = `postgres://team@127.0.0.1:${port}`;
  let databases = 0;
  return {
    async createDatabase() {
      const name = `team_${++databases}`;
      const sql = new SQL(`${base}/postgres`);
      await sql.unsafe(`CREATE DATABASE ${name}`);
      await sql.close();
      return `${base}/${name}`;
    },
    async stop() {
      // "Fast": it disconnects whoever is still there.
      server.child.kill("SIGINT");
      await inTime(server.ended, "end of PostgreSQL", deadlineMs);
      if (id !== undefined) cleanUpLater("ended", id);
    },
  };
}
