import { isRawObject, mapTexts, type RawObject } from "../../config/raw-tree.ts";
import { nodeAt, type SchemaNode } from "../../config/schema-tree.ts";
import { type Imported, literal, type NotImported } from "./imported.ts";

/** What stands around the settings of a resource, or says where it is; nothing of it means anything here. */
const envelope: ReadonlySet<string> = new Set(
  "etag id identity isoverridden kind location name properties resourcegroup sku source systemdata tags type".split(
    " ",
  ),
);

/**
 * Reads what `az webpubsub hub list`, `hub show`, `show` and `az resource show` print: names and values are those of this
 * service already. `az` spells some names in its own way (`networkAcLs`, `externalIp`), so case is ignored. Read-only
 * properties and nulls are left out in silence, everything else that has no meaning here with a note.
 * @spec M-59
 */
export function fromAzure(tree: unknown): Imported | NotImported {
  const items = itemsOf(tree);
  const notes: string[] = [];
  const hubs = new Map<string, unknown>();
  let properties: unknown = null;
  for (const item of items) {
    const kind = isRawObject(item) ? kindOf(item) : null;
    if (kind === null || !isRawObject(item)) return { fault: unknownShape };
    const source = isRawObject(item["properties"]) ? item["properties"] : item;
    const path = kind === "hub" ? `hubs.${nameOf(item)}` : "properties";
    const node = nodeAt(kind === "hub" ? ["hubs", nameOf(item)] : ["properties"]);
    if (node === null) throw new Error(`the schema has no ${path}`);
    const settings = translate(source, { node, path, notes });
    if (kind === "hub") hubs.set(nameOf(item), settings);
    else properties = withoutPrivateEndpoints(settings, notes);
    if (kind === "resource") notes.push(...resourceNotes(item));
  }
  const settings = {
    ...(properties !== null && { properties }),
    ...(hubs.size > 0 && { hubs: Object.fromEntries(hubs) }),
  };
  const isEmpty = items.length === 0;
  return { settings, notes: isEmpty ? ["the list of hubs is empty"] : notes, variables: {} };
}

const unknownShape =
  "is neither the output of az webpubsub hub list, hub show or show (-o json) nor an appsettings.json of the emulator";

/** `az` prints lists as they are, the management API wraps them. */
function itemsOf(tree: unknown): readonly unknown[] {
  if (Array.isArray(tree)) return tree;
  if (isRawObject(tree) && Array.isArray(tree["value"])) return tree["value"];
  return [tree];
}

function kindOf(item: RawObject): "hub" | "resource" | null {
  const type = typeof item["type"] === "string" ? item["type"].toLowerCase() : "";
  if (type === "microsoft.signalrservice/webpubsub") return "resource";
  if (type === "microsoft.signalrservice/webpubsub/hubs") return "hub";
  return type === "" && typeof item["name"] === "string" && isRawObject(item["properties"]) ? "hub" : null;
}

/** The name of a hub, which `az resource` prints behind that of its resource. */
function nameOf({ name }: RawObject): string {
  return typeof name === "string" ? (name.split("/").at(-1) ?? "") : "";
}

interface Place {
  readonly node: SchemaNode;
  readonly path: string;
  readonly notes: string[];
}

function translate(value: unknown, at: Place): unknown {
  const { node, path, notes } = at;
  if (Array.isArray(value)) {
    const item = node.kind === "list" ? node.child(0) : null;
    return item === null
      ? value
      : value.map((entry, index) => translate(entry, { ...at, node: item, path: `${path}[${index}]` }));
  }
  if (!isRawObject(value) || node.kind !== "object") return mapTexts(value, literal);
  const entries: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member === null) continue;
    const name = node.keys.find((known) => known.toLowerCase() === key.toLowerCase());
    const child = name === undefined ? null : node.child(name);
    if (name !== undefined && child !== null) {
      const isReadOnly = child.meta.type === "anything";
      if (!isReadOnly) entries.push([name, translate(member, { ...at, node: child, path: `${path}.${name}` })]);
    } else if (path !== "properties" || !envelope.has(key.toLowerCase()))
      notes.push(`${path}.${key} has no meaning here and is left out`);
  }
  return Object.fromEntries(entries);
}

/** Private endpoints of Azure are no listeners of this service, which the same setting means here. */
function withoutPrivateEndpoints(properties: unknown, notes: string[]): unknown {
  if (!isRawObject(properties) || !isRawObject(properties["networkACLs"])) return properties;
  const { privateEndpoints, ...networkACLs } = properties["networkACLs"];
  if (Array.isArray(privateEndpoints) && privateEndpoints.length > 0)
    notes.push(
      "properties.networkACLs.privateEndpoints is left out; name listeners of your own (service.listen[].name)",
    );
  return { ...properties, networkACLs };
}

function resourceNotes(item: RawObject): string[] {
  const { sku, identity } = item;
  const notes: string[] = [];
  if (isRawObject(sku)) notes.push(`sku ${String(sku["name"])} is left out; there are no quotas unless limits are set`);
  const type = isRawObject(identity) ? identity["type"] : null;
  if (typeof type === "string" && type !== "None")
    notes.push("identity is left out; auth.managedIdentity says where tokens for event handlers come from");
  return notes;
}
