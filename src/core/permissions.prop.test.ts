import { expect, test } from "bun:test";
import fc from "fast-check";
import { named } from "../../tests/support/named.ts";
import { parseGroupPattern } from "./pattern.ts";
import { type Action, Permissions, parseRoles } from "./permissions.ts";

const limits = { permissionLiterals: 3, permissionPatterns: 2 };
const groups = ["a", "a.b", "b", "*", "a?", "a\\", ".", "A"];
const actions = ["sendToGroup", "joinLeaveGroup"] as const satisfies readonly Action[];

const group = fc.constantFrom(...groups);
const suffix = fc.oneof(
  fc.constant(""),
  group.map((name) => `.${name}`),
  fc.constantFrom("s.*", "s.**", "s.a*", "s.?", "s.a.b", "s.\\*", "s.\\x", "s.******", "s", ". ", ".").map(String),
);
const role = fc
  .tuple(fc.constantFrom(...actions, "sendtogroup", "invoke"), suffix)
  .map(([action, rest]) => `webpubsub.${action}${rest}`);
const change = fc.record({
  action: fc.constantFrom(...actions),
  group: fc.option(group, { freq: 8 }),
  wanted: fc.boolean(),
});

/** Rules of one action as a list that is read from the strongest to the weakest. */
class Model {
  #literals = new Map<string, boolean>();
  #patterns: string[] = [];
  #all = false;

  constructor(action: Action, roles: readonly string[]) {
    for (const text of roles) {
      const own = `webpubsub.${action}`;
      if (text === own) this.#all = true;
      else if (text.startsWith(`${own}.`)) {
        const name = text.slice(own.length + 1);
        if (name.trim() !== "" && this.#literals.size < limits.permissionLiterals) this.#literals.set(name, true);
      } else if (text.startsWith(`${own}s.`)) {
        const source = text.slice(own.length + 2);
        if (parseGroupPattern(source) !== null && this.#patterns.length < limits.permissionPatterns)
          this.#patterns.push(source);
      }
    }
  }

  allows(name: string): boolean {
    return this.#literals.get(name) ?? this.#byRole(name);
  }

  set(name: string | null, wanted: boolean): "done" | "conflict" {
    if (name === null) {
      this.#literals = new Map();
      this.#patterns = [];
      this.#all = wanted;
      return "done";
    }
    if (this.allows(name) === wanted) return "done";
    const others = [...this.#literals].filter(([other]) => other !== name);
    const needed = this.#byRole(name) !== wanted;
    if (needed && others.length >= limits.permissionLiterals) return "conflict";
    this.#literals = new Map(needed ? [...others, [name, wanted]] : others);
    return "done";
  }

  #byRole(name: string): boolean {
    return this.#all || this.#patterns.some((source) => parseGroupPattern(source)?.matches(name) === true);
  }
}

test("H-56 any roles, grants and revocations agree with a model, for every operation and group", () => {
  fc.assert(
    fc.property(fc.array(role, { maxLength: 8 }), fc.array(change, { maxLength: 12 }), (roles, changes) => {
      const permissions = new Permissions(parseRoles(roles, limits));
      const models = {
        sendToGroup: new Model("sendToGroup", roles),
        joinLeaveGroup: new Model("joinLeaveGroup", roles),
      };
      const expectSame = (): void => {
        for (const action of actions)
          for (const name of groups)
            expect([action, name, permissions.allows(action, named.group(name))]).toEqual([
              action,
              name,
              models[action].allows(name),
            ]);
      };
      expectSame();
      for (const { action, group: name, wanted } of changes) {
        const outcome = permissions.set(
          { action, group: name === null ? null : named.group(name), wanted },
          limits.permissionLiterals,
        );
        expect(outcome).toBe(models[action].set(name, wanted));
        expectSame();
      }
    }),
    { numRuns: 400 },
  );
});

test("the roles that are shown grant what is granted, but for what is shown as revoked", () => {
  const stateRole = fc.constantFrom("", ".a", ".a*", ".\\*", ".**").map((rest) => `webpubsub.setGroupState${rest}`);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(role, stateRole), { maxLength: 8 }),
      fc.array(change, { maxLength: 8 }),
      (roles, changes) => {
        const permissions = new Permissions(parseRoles(roles, limits));
        for (const { action, group: name, wanted } of changes)
          permissions.set(
            { action, group: name === null ? null : named.group(name), wanted },
            limits.permissionLiterals,
          );
        const { granted, revoked } = permissions.roles();
        const again = new Permissions(parseRoles(granted, limits));
        for (const action of [...actions, "setGroupState"] as const)
          for (const name of groups) {
            const isRevoked = revoked.includes(`webpubsub.${action}.${name}`);
            expect(permissions.allows(action, named.group(name))).toBe(
              !isRevoked && again.allows(action, named.group(name)),
            );
          }
      },
    ),
    { numRuns: 400 },
  );
});
