import type { RawObject } from "../../config/raw-tree.ts";

/** What became of one input: settings in the service's own form, and what a person has to know about them. */
export interface Imported {
  /** `service`, `properties`, `hubs` and `auth`, as far as there is something. */
  readonly settings: RawObject;
  /** One line each: what was left out and what to do instead. Never with a secret. */
  readonly notes: readonly string[];
  /** The secrets of the input by the environment variable that takes the place of each; for checks, never to be shown. */
  readonly variables: Readonly<Record<string, string>>;
}

/** An input that cannot be imported, and why. */
export interface NotImported {
  readonly fault: string;
}

/** Puts a text into a configuration so that it means itself: `${` would be replaced by a variable. */
export function literal(text: string): string {
  return text.replaceAll("${", () => "$${");
}
