/** Names of the variable parts of a path. */
export type PathParameter = "hub" | "group" | "connectionId" | "userId" | "permission";

/** The variable segments of a request path, still percent-encoded; never empty. */
export type RawParameters = Readonly<Partial<Record<PathParameter, string>>>;

/** What a router finds: one value per method, and the variable segments. */
export interface Match<Value> {
  readonly methods: ReadonlyMap<string, Value>;
  readonly parameters: RawParameters;
}

interface Node<Value> {
  readonly literals: Map<string, Node<Value>>;
  parameter: { readonly name: PathParameter; readonly next: Node<Value> } | null;
  readonly methods: Map<string, Value>;
}

/**
 * Builds a matcher of raw request paths from templates such as `/api/hubs/{hub}/:send`. Literal segments compare without
 * case, `:` may come as `%3A`, one trailing slash is tolerated, empty segments match nothing. Values are not
 * decoded here: a path that is routed may still carry an invalid name.
 */
export function createRouter<Value extends { readonly method: string; readonly template: string }>(
  routes: readonly Value[],
): (path: string) => Match<Value> | null {
  const root: Node<Value> = createNode();
  for (const route of routes) {
    let node = root;
    for (const segment of route.template.split("/").slice(1)) node = child(node, segment);
    node.methods.set(route.method, route);
  }

  return (path) => {
    const segments = path.split("/");
    if (segments[0] !== "") return null;
    const end = segments.length > 2 && segments.at(-1) === "" ? segments.length - 1 : segments.length;
    const parameters: Partial<Record<PathParameter, string>> = {};
    let node = root;
    for (let index = 1; index < end; index++) {
      const segment = segments[index] ?? "";
      const literal = findLiteral(node, segment);
      if (literal !== undefined) {
        node = literal;
      } else if (node.parameter !== null && segment !== "") {
        parameters[node.parameter.name] = segment;
        node = node.parameter.next;
      } else {
        return null;
      }
    }
    return node.methods.size === 0 ? null : { methods: node.methods, parameters };
  };
}

/**
 * Decodes one segment once; `+` stays. Null when an escape is malformed or not UTF-8. With `keepEncodedSlash`, `%2F` stays
 * as written, as the Azure service does.
 * @spec R-11 R-12
 */
export function decodeSegment(raw: string, keepEncodedSlash: boolean): string | null {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(keepEncodedSlash ? raw.replaceAll(/%(?=2f)/gi, "%25") : raw);
  } catch {
    return null;
  }
}

function createNode<Value>(): Node<Value> {
  return { literals: new Map(), parameter: null, methods: new Map() };
}

function child<Value>(node: Node<Value>, segment: string): Node<Value> {
  const name = /^\{(\w+)\}$/.exec(segment)?.[1];
  if (name === undefined) {
    const next = node.literals.get(literalForm(segment)) ?? createNode();
    node.literals.set(literalForm(segment), next);
    return next;
  }
  node.parameter ??= { name: name as PathParameter, next: createNode() };
  return node.parameter.next;
}

function findLiteral<Value>({ literals }: Node<Value>, segment: string): Node<Value> | undefined {
  // Nearly everybody writes literals as the templates do, and next to a user id there are none.
  return literals.size === 0 ? undefined : (literals.get(segment) ?? literals.get(literalForm(segment)));
}

function literalForm(segment: string): string {
  const lower = segment.toLowerCase();
  return lower.startsWith("%3a") ? `:${lower.slice(3)}` : lower;
}
