import type { Cursor, ListQuery, Page } from "../core/inspection.ts";
import { type HubName, parseHubName } from "../core/names.ts";
import { type Answer, badRequest, ok } from "./answers.ts";

const defaultTop = 100;
const maxTop = 500;

/** Reads `hub`, `search`, `top` and `after`; an answer where one of them is wrong. An empty one counts as left out. */
export function readListQuery(query: URLSearchParams): ListQuery | Answer {
  const hub = readHub(query.get("hub") ?? "");
  if (hub === undefined) return badRequest("hub is not the name of a hub.");
  const top = readTop(query.get("top") ?? "");
  if (top === null) return badRequest(`top must be a whole number from 1 to ${maxTop}.`);
  const place = query.get("after") ?? "";
  const after = place === "" ? null : readCursor(place);
  if (place !== "" && after === null) return badRequest('after must be the "next" of an earlier page.');
  return { hub, search: query.get("search") ?? "", top, after };
}

/** 200 with a page of rows. */
export function pageAnswer(page: Page<unknown>): Answer {
  const { value, total, next } = page;
  return ok({ value, total, next: next === null ? null : formatCursor(next) });
}

/** null: any hub; undefined: not one. */
function readHub(text: string): HubName | null | undefined {
  return text === "" ? null : (parseHubName(text) ?? undefined);
}

function readTop(text: string): number | null {
  if (text === "") return defaultTop;
  const top = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return top >= 1 && top <= maxTop ? top : null;
}

function formatCursor({ hub, name }: Cursor): string {
  return Buffer.from(JSON.stringify([hub, name])).toString("base64url");
}

function readCursor(text: string): Cursor | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    const [hub, name, ...more] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    return typeof hub === "string" && typeof name === "string" && more.length === 0 ? { hub, name } : null;
  } catch {
    return null;
  }
}
