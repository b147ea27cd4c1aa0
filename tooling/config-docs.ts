// Writes docs/configuration.md from the schema of the settings; a test fails while the committed page differs.
import { join } from "node:path";
import { shortcutVariables } from "../src/config/assignments.ts";
import { commandLineOptions } from "../src/config/command-line.ts";
import type { PathSegment } from "../src/config/problem.ts";
import { type SchemaNode, settingsRoot } from "../src/config/schema-tree.ts";

/** Where the page is. */
export const configDocsFile = join(import.meta.dirname, "..", "docs", "configuration.md");

/** The example of the page; a test loads it. */
export const exampleConfig = `service:
  name: contoso
  listen:
    - url: http://0.0.0.0:8080
    - url: https://0.0.0.0:8443
      tls: { certFile: /etc/tidewire/tls.crt, keyFile: /etc/tidewire/tls.key }
  adminListen: { url: http://127.0.0.1:8081, token: "\${ADMIN_TOKEN}" }
  publicEndpoints: ["https://pubsub.example.com"]
  trustedProxies: ["10.0.0.0/8"]
  keys: { primary: "\${PRIMARY_KEY}", secondaryFile: /run/secrets/secondary-key }

properties:
  publicNetworkAccess: Enabled
  networkACLs:
    defaultAction: Allow
    publicNetwork: { allow: [], deny: [Trace] }
    ipRules:
      - { value: 203.0.113.0/24, action: Deny }

hubs:
  chat:
    anonymousConnectPolicy: deny
    webSocketKeepAliveIntervalInSeconds: 20
    allowedOrigins: ["https://app.example.com"]
    eventHandlers:
      - urlTemplate: https://app.example.com/eventhandler/{event}
        userEventPattern: "*"
        systemEvents: [connect, connected, disconnected]
        auth: { type: None }
  "*":
    anonymousConnectPolicy: deny

auth:
  oidc:
    - issuer: https://login.example.com/
      audiences: [https://webpubsub.azure.com]
      roles: [{ claim: appid, value: "my-application", role: owner }]

upstream:
  retryDelaysSeconds: [1, 3, 5]
  targets: { allowLoopback: false, allowPrivate: true }

logging: { level: info, format: json }
`;

/** The whole page. */
export function renderConfigDocs(): string {
  const root = settingsRoot();
  const sections = root.keys.map((key) => section(root.child(key), key));
  return `${introduction}\n${sections.join("\n")}`;
}

const introduction = `# Configuration

<!-- Generated from src/config/schema.ts by tooling/config-docs.ts; do not edit. -->

Everything has a default: without any configuration the service listens on \`http://localhost:8080\` and
\`https://localhost:8443\`. Names under \`properties\` and \`hubs\` are those of Azure Resource Manager, so the \`properties\`
of an exported resource can be pasted.

## Where settings come from

The overlay of the administration API over command line over environment over file over defaults.

### Command line

| Option | Meaning |
|---|---|
${commandLineOptions()
  .map((option) => `| \`${option.flag}\` | ${option.description} |`)
  .join("\n")}

### Environment

\`WEBPUBSUB__\` and the path of a setting, joined by \`__\`, list entries by their number:
\`WEBPUBSUB__HUBS__chat__EVENTHANDLERS__0__URLTEMPLATE\`. Names of settings are matched ignoring case; hub names keep
theirs. A list entry given this way is laid over the entry of the file with that number. Two variables for one setting
with different values stop the start. The short names:

| Variable | Meaning |
|---|---|
| \`WEBPUBSUB_CONFIG\` | Configuration file. |
| \`WEBPUBSUB_CONNECTION_STRING\` | A connection string: its endpoint becomes the first public endpoint, its key the primary key. |
${shortcutVariables.map((variable) => `| \`${variable.name}\` | ${variable.meaning} |`).join("\n")}

The variables of the official emulator work too: \`WebPubSub__AccessKey\`, \`WebPubSub__AllowUnvalidatedEntraTokens\`,
\`WebPubSub__Hubs__<hub>__EventHandlers__0__UrlTemplate\` (and \`EventPattern\`, \`SystemEvents__0\`), \`Urls\`,
\`ASPNETCORE_URLS\`.

### Overlay

What the [administration API](administration.md) changes is kept in the data folder as \`overlay.json\` and wins over
everything else, so that a revoked key stays revoked. It names hubs as a whole, keys, and the network rules. A warning says
which configured settings it hides; \`/admin/status\` lists all it has, and \`restore\` makes the configuration count again.

### File

YAML or JSON (\`.json\`, comments allowed), with the same names. There is no default file. \`\${NAME}\` inside a text is
replaced by the environment variable, which must exist; \`\${NAME:-default}\` is the default where it is not set or
empty, and \`$\${\` stands for a literal \`\${\`. Every secret \`x\` can be given as \`xFile\`, the name of a file that holds it. Relative file names start at the folder of the configuration file.
Words such as \`Allow\` and \`deny\` are compared ignoring case, and \`"true"\` is as good as \`true\`. A value of null
counts as absent. An unknown name stops the start; on reload it is reported and ignored.

The emulator's \`appsettings.json\` is accepted in place of such a file; it is recognised by its \`WebPubSub\` section.

\`\`\`yaml
${exampleConfig}\`\`\`

## Reload

The file, the files of secrets, and certificates are watched; SIGHUP reloads as well. New settings apply to what happens
next and close no connection. Invalid content, or an empty file, changes nothing and is logged. Settings marked *at the
next start* keep their value until then, and a change of theirs is logged.

## Keys

An access key has at least 32 UTF-8 bytes, no white space at its ends, no \`;\` and no control characters. Where no
primary key is configured:

- **Development mode**: the well-known key of the official emulator is used, so that its samples run unchanged. This is
  so only while there is no configuration file (the emulator's \`appsettings.json\` aside), nothing below \`service\` is
  set by variables or options (\`--port\` aside), and all listeners are on loopback addresses.
- **Otherwise** a random key of 64 characters is generated, kept in the data folder as \`access-key\` (mode 0600), and
  used again at the next start.

The well-known key together with a listener beyond loopback stops the start, also when it is configured. The data folder
is \`service.dataDir\`, else \`$XDG_STATE_HOME/tidewire\`, else \`.tidewire\` in the home folder, else in the working
directory.

## Settings
`;

function section(node: SchemaNode | null, key: string): string {
  if (node === null) throw new Error(`the schema has no ${key}`);
  const rows = node.kind === "record" ? tableRows(node.child(""), [key, "<hub>"]) : tableRows(node, [key]);
  const table = ["| Setting | Kind | Default | Meaning |", "|---|---|---|---|", ...rows].join("\n");
  return `### ${key}\n\n${node.meta.description}\n\n${table}\n`;
}

function tableRows(node: SchemaNode | null, path: readonly PathSegment[]): string[] {
  if (node === null) return [];
  return node.keys.flatMap((key) => {
    const child = node.child(key);
    return child === null ? [] : rowsFor(child, [...path, key]);
  });
}

function rowsFor(node: SchemaNode, path: readonly PathSegment[]): string[] {
  const own = row(node, path);
  switch (node.kind) {
    case "leaf":
      return [own];
    case "record":
      return [own];
    case "object":
      return [own, ...tableRows(node, path)];
    case "list": {
      const item = node.child(0);
      if (item === null || item.kind !== "object") return [own];
      return [own, ...tableRows(item, [...path.slice(0, -1), `${String(path.at(-1))}[]`])];
    }
  }
}

function row(node: SchemaNode, path: readonly PathSegment[]): string {
  const { meta } = node;
  const item = node.kind === "list" ? node.child(0) : null;
  const kind = [item === null || item.kind !== "leaf" ? meta.type : `list of ${item.meta.type}`, meta.unit, meta.range];
  const effect = meta.takesEffect === "restart" ? " *At the next start.*" : "";
  const name = path.map(String).join(".");
  return `| \`${name}\` | ${kind.filter((part) => part !== undefined).join("; ")} | ${defaultOf(node)} | ${meta.description}${effect} |`;
}

function defaultOf(node: SchemaNode): string {
  if (node.meta.defaultText !== undefined) return node.meta.defaultText;
  if (node.isRequired) return "required";
  if (node.defaultValue === null) return "none";
  if (node.defaultValue === undefined) return "";
  const items: unknown = node.defaultValue;
  if (Array.isArray(items))
    return items.length === 0 ? "empty" : items.map((value) => `\`${String(value)}\``).join(", ");
  return items === "" ? "empty" : `\`${String(items)}\``;
}

if (import.meta.main) await Bun.write(configDocsFile, renderConfigDocs());
