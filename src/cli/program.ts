import { Command } from "commander";
import { commandLineOptions } from "../config/command-line.ts";
import { version } from "../server/version.ts";
import { addHubVerbs } from "./admin/hub-verbs.ts";
import { addKeyVerbs } from "./admin/key-verbs.ts";
import { addLiveTraceVerbs } from "./admin/live-trace-verbs.ts";
import { addNetworkVerbs } from "./admin/network-verbs.ts";
import { addClientVerbs } from "./client/verbs.ts";
import { documentation } from "./documentation.ts";
import { addServiceVerbs } from "./service/verbs.ts";
import { addTraceVerb } from "./trace/verbs.ts";
import type { TunnelOptions } from "./tunnel.ts";
import { addExample, addGroup, addVerb, ends } from "./verb.ts";

/** Exit code of a command line that cannot be understood, as of a configuration that cannot. */
const misused = 2;

/**
 * The whole command line. What a verb needs to run is loaded when it runs, so that a small one does not wait for the
 * service to be loaded and the service not for a client.
 */
export function createProgram(): Command {
  const program = new Command("tidewire")
    .description("Real-time messaging server, wire-compatible with Azure Web PubSub.")
    .version(version, "-v, --version", "Print the version.")
    .helpOption("-h, --help", "Print this help.")
    .helpCommand(false)
    .showHelpAfterError("Run with --help to see what is possible.")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "tidewire: ")) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : misused))
    .addHelpText("after", `\nDocumentation: ${documentation}`);
  addStart(program);
  addRun(program);
  addHealth(program);
  addCert(program);
  addServiceVerbs(program);
  addClientVerbs(program);
  addKeyVerbs(program);
  addHubVerbs(program);
  addNetworkVerbs(program);
  addLiveTraceVerbs(program);
  addTraceVerb(program);
  addTunnel(program);
  addImport(program);
  addConfigCheck(program);
  return program;
}

function addStart(program: Command): void {
  const start = program
    .command("start")
    .description("Start the service; without configuration on http://localhost:8080 and https://localhost:8443.");
  for (const { flag, description } of commandLineOptions()) start.option(flag, description);
  addExample(start, "tidewire start --config tidewire.yaml --log-level debug");
  start.action(async (options: Record<string, string>) => {
    const { runStart } = await import("./start.ts");
    process.exitCode = await runStart(options);
  });
}

function addRun(program: Command): void {
  const run = program
    .command("run")
    .description("Start the service, run a command with its connection string, and stop when the command ends.")
    .argument("<command...>", "Program and arguments, after --.")
    .option("--https", "Give the command an https connection string, and the local authority to trust.");
  for (const { flag, description } of commandLineOptions()) run.option(flag, description);
  run.addHelpText(
    "after",
    "\nThe command finds the connection string in WebPubSubConnectionString, and with --https the certificate to trust in\nNODE_EXTRA_CA_CERTS. If WebPubSubConnectionString is set already, that service is used and none is started. Without\nconfiguration the service listens on a free port of this machine. The exit code is that of the command.",
  );
  addExample(run, "tidewire run -- npm test\ntidewire run --config tidewire.yaml -- node server.js");
  run.action(async (command: readonly string[], options: Record<string, string> & { readonly https?: true }) => {
    const { runWithService } = await import("./run.ts");
    const { https, ...service } = options;
    process.exitCode = await runWithService({ service, isHttps: https === true, command });
  });
}

function addHealth(program: Command): void {
  const health = program
    .command("health")
    .description("Exit with 0 when a service answers as healthy, with 1 when it does not.")
    .argument("[endpoint]", "URL of the service.", "http://localhost:8080")
    .option("--timeout <seconds>", "Time to wait for the answer.", "5");
  addExample(health, "tidewire health http://localhost:8080");
  health.action(async (endpoint: string, { timeout }: { timeout: string }) => {
    const { runHealth } = await import("./health.ts");
    process.exitCode = await runHealth(endpoint, timeout);
  });
}

function addCert(program: Command): void {
  const cert = program
    .command("cert")
    .description("Print the certificate of the local authority that signs the certificate of https://localhost:8443.")
    .option("--data <folder>", "Data folder of the service.")
    .option("--path", "Print the name of the file instead.")
    .option("--install", "Add it to the system's trusted certificates.");
  addExample(cert, 'export NODE_EXTRA_CA_CERTS="$(tidewire cert --path)"');
  cert.action(async (options: { data?: string; path?: true; install?: true }) => {
    const { runCert } = await import("./cert.ts");
    process.exitCode = await runCert(options);
  });
}

function addTunnel(program: Command): void {
  const tunnel = program
    .command("tunnel")
    .description("Bring the events of a hub's tunnel:/// handlers to an application on this machine.")
    .requiredOption("--hub <name>", "Hub whose events are wanted.")
    .option("--upstream <url>", "Where the application listens.", "http://localhost:3000")
    .option("--connection-string <text>", "Connection string; default: the variable WebPubSubConnectionString.")
    .option("--verbose", "Print headers and bodies, too; values named like a secret are masked.")
    .addHelpText(
      "after",
      "\nThe hub needs an event handler with a URL such as tunnel:///eventhandler. One line is printed per request.\n--verbose masks values of headers, and of members in JSON bodies, whose name has key, code, token, secret, signature,\npassword, authorization or cookie in it; other content of bodies, and state of the connection, is shown as it is.",
    );
  addExample(tunnel, "tidewire tunnel --hub chat --upstream http://localhost:3000");
  tunnel.action(async (options: TunnelOptions) => {
    const { runTunnel } = await import("./tunnel.ts");
    process.exitCode = await runTunnel(options);
  });
}

function addImport(program: Command): void {
  addVerb(program, {
    name: "import",
    summary: "Turn hubs and resources of Azure, or the emulator's appsettings.json, into a configuration file.",
    example: [
      "az webpubsub hub list -n contoso -g group -o json > hubs.json",
      "az webpubsub show -n contoso -g group -o json > resource.json",
      "tidewire import resource.json hubs.json --write tidewire.yaml",
    ].join("\n"),
    more: "What a start would refuse is given out all the same, with a line 'to be settled' on standard error for each reason;\nthe exit code is then 1, and 2 when an input cannot be read.",
  })
    .argument("[files...]", "Files to read; - or none: standard input.")
    .option("--write <file>", "Write this file, which must not exist, instead of printing.")
    .action(
      ends(async (files: readonly string[], { write = null }: { readonly write?: string | null }) => {
        const { runImport } = await import("./import/import.ts");
        return runImport({ inputs: files.length === 0 ? ["-"] : files, write });
      }),
    );
}

function addConfigCheck(program: Command): void {
  const config = addGroup(program, "config", "The configuration of the service.");
  addVerb(config, {
    name: "check",
    summary: "Print every problem and warning of a configuration; exit code 2 when a start would refuse it.",
    example: "tidewire config check tidewire.yaml",
  })
    .argument("[file]", "Configuration file; without one that of WEBPUBSUB_CONFIG.")
    .option("--data <folder>", "Data folder of the service.")
    .action(
      ends(async (file: string | undefined, options: { readonly data?: string }) => {
        const { checkConfig } = await import("./config-check.ts");
        return checkConfig({ file, ...options });
      }),
    );
}
