import type { GroupName } from "./names.ts";
import { parseGroupName } from "./names.ts";
import type { GroupPattern } from "./pattern.ts";
import { parseGroupPattern } from "./pattern.ts";

/** What a permission allows; group states are preview, and REST cannot change their permissions (rest-api 12). */
export type Action = "sendToGroup" | "joinLeaveGroup" | "setGroupState" | "getGroupState";

interface Rules {
  readonly all: boolean;
  readonly patterns: readonly GroupPattern[];
  readonly literals: ReadonlyMap<GroupName, boolean>;
}

/** What the roles of a token grant; immutable, so that connections with the same roles can share it. */
export type RoleRules = Readonly<Record<Action, Rules>>;

/** How many literal groups and patterns count per action; further ones are ignored (client-protocols 4.2). */
export interface PermissionLimits {
  readonly permissionLiterals: number;
  readonly permissionPatterns: number;
}

const prefix = "webpubsub.";
const nothing: Rules = { all: false, patterns: [], literals: new Map() };

/** Parses role strings; unknown roles and invalid patterns grant nothing (C-39, C-40, C-41). */
export function parseRoles(roles: readonly string[], limits: PermissionLimits): RoleRules {
  return {
    sendToGroup: rulesFor("sendToGroup", roles, limits),
    joinLeaveGroup: rulesFor("joinLeaveGroup", roles, limits),
    setGroupState: rulesFor("setGroupState", roles, limits),
    getGroupState: rulesFor("getGroupState", roles, limits),
  };
}

function rulesFor(action: Action, roles: readonly string[], limits: PermissionLimits): Rules {
  const globalRole = `${prefix}${action}`;
  const literalPrefix = `${globalRole}.`;
  const patternPrefix = `${globalRole}s.`;
  const isStateAction = action === "setGroupState" || action === "getGroupState";
  let all = false;
  const patterns: GroupPattern[] = [];
  const literals = new Map<GroupName, boolean>();
  const addLiteral = (name: string): void => {
    const group = parseGroupName(name);
    if (group !== null && literals.size < limits.permissionLiterals) literals.set(group, true);
  };
  const addPattern = (source: string): void => {
    if (patterns.length >= limits.permissionPatterns) return;
    const pattern = parseGroupPattern(source);
    if (pattern !== null) patterns.push(pattern);
  };
  for (const role of roles) {
    if (role === globalRole) {
      all = true;
    } else if (role.startsWith(literalPrefix)) {
      const suffix = role.slice(literalPrefix.length);
      // The state roles have patterns where the others have literal names (client-protocols 7.3).
      if (isStateAction && /[*?\\]/.test(suffix)) addPattern(suffix);
      else addLiteral(suffix);
    } else if (!isStateAction && role.startsWith(patternPrefix)) {
      addPattern(role.slice(patternPrefix.length));
    }
  }
  return all || patterns.length > 0 || literals.size > 0 ? { all, patterns, literals } : nothing;
}

function allows(rules: Rules, group: GroupName): boolean {
  return rules.literals.get(group) ?? allowsWithoutLiterals(rules, group);
}

function allowsWithoutLiterals(rules: Rules, group: GroupName): boolean {
  if (rules.all) return true;
  for (const pattern of rules.patterns) if (pattern.matches(group)) return true;
  return false;
}

/**
 * The permissions of one connection: the rules of its roles, until REST changes them. A literal rule beats patterns and
 * the global role (C-42, R-92).
 */
export class Permissions {
  #rules: RoleRules;

  constructor(roles: RoleRules) {
    this.#rules = roles;
  }

  allows(action: Action, group: GroupName): boolean {
    return allows(this.#rules[action], group);
  }

  /** Whether no group is excepted; what a check without a group asks, where that is allowed at all. */
  allowsEveryGroup(action: Action): boolean {
    const { all, literals } = this.#rules[action];
    return all && [...literals.values()].every((allowed) => allowed);
  }

  /** The roles that grant what is granted, and those that would grant what REST took away. */
  roles(): { readonly granted: readonly string[]; readonly revoked: readonly string[] } {
    const granted: string[] = [];
    const revoked: string[] = [];
    for (const [action, rules] of Object.entries(this.#rules)) {
      const role = `${prefix}${action}`;
      const patternRole = action === "setGroupState" || action === "getGroupState" ? role : `${role}s`;
      if (rules.all) granted.push(role);
      for (const { source } of rules.patterns) granted.push(`${patternRole}.${source}`);
      for (const [group, isAllowed] of rules.literals) (isAllowed ? granted : revoked).push(`${role}.${group}`);
    }
    return { granted, revoked };
  }

  /**
   * Makes `allows(action, group)` answer `wanted`; `group` null replaces every rule of the action by all or nothing.
   * Idempotent. `conflict`: it would need more than `limit` literal rules; nothing was changed.
   */
  set(
    change: { readonly action: Action; readonly group: GroupName | null; readonly wanted: boolean },
    limit: number,
  ): "done" | "conflict" {
    const { action, group, wanted } = change;
    const rules = this.#rules[action];
    if (group === null) {
      this.#replace(action, { all: wanted, patterns: [], literals: new Map() });
      return "done";
    }
    if (allows(rules, group) === wanted) return "done";
    const literals = new Map(rules.literals);
    literals.delete(group);
    if (allowsWithoutLiterals(rules, group) !== wanted) {
      if (literals.size >= limit) return "conflict";
      literals.set(group, wanted);
    }
    this.#replace(action, { ...rules, literals });
    return "done";
  }

  #replace(action: Action, rules: Rules): void {
    this.#rules = { ...this.#rules, [action]: rules };
  }
}
