import { expect, test } from "bun:test";
import { Query } from "./query.ts";

test("values are form-decoded, names compare without case, order is kept", () => {
  const query = new Query("A=1&b=x+y%2B%20&a=2&&c&%64=%C3%A9&=z");
  expect(query.all("a")).toEqual(["1", "2"]);
  expect(query.all("B")).toEqual(["x y+ "]);
  expect(query.all("c")).toEqual([""]);
  expect(query.all("d")).toEqual(["é"]);
  expect(query.all("absent")).toEqual([]);
});

test("R-52 an empty text is an absent one", () => {
  const query = new Query("filter=&reason=r&reason=s");
  expect([query.text("filter"), query.text("reason"), query.text("userId")]).toEqual([null, "r", null]);
});

test("malformed escapes stay as they are and never throw", () => {
  const query = new Query("a=%zz+b&c=%FF&d=%");
  expect([query.all("a"), query.all("c"), query.all("d")]).toEqual([["%zz b"], ["\uFFFD"], ["%"]]);
});
