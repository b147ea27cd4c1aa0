import { expect, test } from "bun:test";
import { Cancellation } from "./cancellation.ts";

test("E-46 listeners hear of an abort once, in order, and not those that left or came too late", () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const gone = () => void heard.push("gone");
  cancellation.addEventListener("abort", () => {
    heard.push(`first ${cancellation.aborted}`);
    cancellation.abort();
  });
  cancellation.addEventListener("abort", gone);
  cancellation.addEventListener("abort", () => void heard.push("last"));
  cancellation.removeEventListener("abort", gone);
  expect(cancellation.aborted).toBe(false);
  cancellation.abort();
  cancellation.addEventListener("abort", () => void heard.push("late"));
  cancellation.abort();
  expect(heard).toEqual(["first true", "last"]);
});
