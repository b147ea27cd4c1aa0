import { Command } from "commander";
import { commandLineOptions } from "../config/command-line.ts";
import { version } from "../server/version.ts";
import { runCert } from "./cert.ts";
import { documentation } from "./documentation.ts";
import { runHealth } from "./health.ts";
import { runStart } from "./start.ts";
import { runTunnel, type TunnelOptions } from "./tunnel.ts";

/** Exit code of a command line that cannot be understood, as of a configuration that cannot. */
const misused = 2;

const program = new Command("tidewire")
  .description("Real-time messaging server, wire-compatible with Azure Web PubSub.")
  .version(version, "-v, --version", "Print the version.")
  .helpOption("-h, --help", "Print this help.")
  .helpCommand(false)
  .showHelpAfterError("Run with --help to see what is possible.")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "tidewire: ")) })
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : misused))
  .addHelpText("after", `\nDocumentation: ${documentation}`);

const start = program
  .command("start")
  .description("Start the service; without configuration on http://localhost:8080 and https://localhost:8443.");
for (const { flag, description } of commandLineOptions()) start.option(flag, description);
start
  .addHelpText("after", "\nExample:\n  tidewire start --config tidewire.yaml --log-level debug")
  .action(async (options: Record<string, string>) => {
    process.exitCode = await runStart(options);
  });

program
  .command("health")
  .description("Exit with 0 when a service answers as healthy, with 1 when it does not.")
  .argument("[endpoint]", "URL of the service.", "http://localhost:8080")
  .option("--timeout <seconds>", "Time to wait for the answer.", "5")
  .addHelpText("after", "\nExample:\n  tidewire health http://localhost:8080")
  .action(async (endpoint: string, { timeout }: { timeout: string }) => {
    process.exitCode = await runHealth(endpoint, timeout);
  });

program
  .command("cert")
  .description("Print the certificate of the local authority that signs the certificate of https://localhost:8443.")
  .option("--data <folder>", "Data folder of the service.")
  .option("--path", "Print the name of the file instead.")
  .option("--install", "Add it to the system's trusted certificates.")
  .addHelpText("after", '\nExample:\n  export NODE_EXTRA_CA_CERTS="$(tidewire cert --path)"')
  .action(async (options: { data?: string; path?: true; install?: true }) => {
    process.exitCode = await runCert(options);
  });

program
  .command("tunnel")
  .description("Bring the events of a hub's tunnel:/// handlers to an application on this machine.")
  .requiredOption("--hub <name>", "Hub whose events are wanted.")
  .option("--upstream <url>", "Where the application listens.", "http://localhost:3000")
  .option("--connection-string <text>", "Connection string; default: the variable WebPubSubConnectionString.")
  .option("--verbose", "Print headers and bodies, too.")
  .addHelpText(
    "after",
    "\nThe hub needs an event handler with a URL such as tunnel:///eventhandler. One line is printed per request.\n" +
      "\nExample:\n  tidewire tunnel --hub chat --upstream http://localhost:3000",
  )
  .action(async (options: TunnelOptions) => {
    process.exitCode = await runTunnel(options);
  });

await program.parseAsync();
