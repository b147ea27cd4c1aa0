import { describe, expect, test } from "bun:test";
import { coverage, listedIds, pendingSchema, type SpecDocument, titlesIn } from "./spec-ids.ts";

const document: SpecDocument = { prefix: "C", file: "x.md", heading: /Conformance/ };

function title(text: string): ReturnType<typeof titlesIn> {
  return titlesIn("a.test.ts", `test(${JSON.stringify(text)}, () => {});`);
}

describe("listedIds", () => {
  test("reads list items, numbered items, bold ids and table rows of the section, nothing else", () => {
    const markdown = [
      "- C-9 outside",
      "## 3. Conformance checklist",
      "- C-1 plain, see C-7",
      "- C-2. with a full stop",
      "3. **C-3** bold",
      "- **C-4** bold item",
      "| C-05 | table |",
      "  continued line with C-8",
      "- R-6 another prefix",
      "### A part of it",
      "- C-10 still inside",
      "## 4. Next",
      "- C-11 outside",
    ];
    expect(listedIds(document, markdown.join("\n"))).toEqual(["C-1", "C-2", "C-3", "C-4", "C-05", "C-10"]);
  });
});

describe("titlesIn", () => {
  test("reads test, it and describe with modifiers, tables, templates and joined strings", () => {
    const source = [
      'test("C-1 C-2 plain", () => {});',
      'it.each([1])("R-3 of a table", () => {});',
      "describe(`E-4 in a template ${x}`, () => {",
      '  test("C-5 " + "joined", () => {});',
      "});",
      'test.if(ready)("M-6 on a condition", () => {});',
      'other("C-7 is no title");',
      "test(name, () => {});",
    ];
    const titles = titlesIn("a.test.ts", source.join("\n"));
    expect(titles.map((one) => [one.at, one.ids])).toEqual([
      ["a.test.ts:1", ["C-1", "C-2"]],
      ["a.test.ts:2", ["R-3"]],
      ["a.test.ts:3", ["E-4"]],
      ["a.test.ts:4", ["C-5"]],
      ["a.test.ts:6", ["M-6"]],
    ]);
  });

  test("takes no id out of words such as RFC-6455 and SHA-256", () => {
    expect(title("answers as RFC-6455 says, with SHA-256").flatMap((one) => one.ids)).toEqual([]);
  });
});

describe("coverage", () => {
  const listed = new Map([["C", ["C-1", "C-2", "C-3", "C-4"]]]);

  test("counts built, partial, pending and missing ids", () => {
    const result = coverage({
      listed,
      titles: [...title("C-1 x"), ...title("C-2 y")],
      pending: [
        { id: "C-2", reason: "half of it", partial: true },
        { ids: ["C-3"], reason: "later" },
      ],
    });
    expect(result.rows).toEqual([{ prefix: "C", total: 4, built: 2, partial: 1, pending: 1, missing: ["C-4"] }]);
    expect(result.problems).toEqual(["C-4: neither in a title nor pending"]);
  });

  test("a skipped test shows nothing", () => {
    const titles = titlesIn("a.test.ts", 'test.skip("C-1 x", () => {}); test.todo("C-2 y");');
    expect(coverage({ listed, titles, pending: [] }).rows[0]?.built).toBe(0);
  });

  const faulty: readonly [text: string, problem: RegExp][] = [
    ["C-9 unknown", /C-9: no document has it/],
    ["C-1 C-2 C-3 C-4 many", /more than three ids/],
    ["C-1…C-3 range", /ranges/],
    ["C-1..3 range", /ranges/],
    ["C-1 to C-3 range", /ranges/],
    ["C-1-3 range", /ranges/],
  ];
  for (const [text, problem] of faulty) {
    test(`refuses the title "${text}"`, () => {
      expect(coverage({ listed, titles: title(text), pending: [] }).problems.join("\n")).toMatch(problem);
    });
  }

  test("a list of ids is no range", () => {
    const { problems } = coverage({ listed, titles: title("C-1 C-2, C-3 2 clients"), pending: [] });
    expect(problems).toEqual(["C-4: neither in a title nor pending"]);
  });

  test("refuses an id both titled and pending, a partial one without title, unknown and repeated pending ids", () => {
    const { problems } = coverage({
      listed,
      titles: title("C-1 x"),
      pending: [
        { ids: ["C-1", "C-9"], reason: "later" },
        { id: "C-2", reason: "half", partial: true },
        { ids: ["C-3", "C-4", "C-3"], reason: "later" },
      ],
    });
    expect(problems).toEqual([
      "pending.json: C-9: no document has it",
      "pending.json: C-3: listed twice",
      "C-1: pending, though a title names it (partial: true if both hold)",
      "C-2: pending as partial, but no title names it",
    ]);
  });

  test("refuses an id that a document lists twice", () => {
    const { problems } = coverage({ listed: new Map([["C", ["C-1", "C-1"]]]), titles: title("C-1 x"), pending: [] });
    expect(problems).toEqual(["C-1: the document with prefix C lists it twice"]);
  });
});

describe("pendingSchema", () => {
  test("wants a reason, and either id or ids", () => {
    expect(pendingSchema.safeParse([{ id: "C-1", reason: "r", issue: 3 }]).success).toBe(true);
    expect(pendingSchema.safeParse([{ id: "C-1" }]).success).toBe(false);
    expect(pendingSchema.safeParse([{ reason: "r" }]).success).toBe(false);
    expect(pendingSchema.safeParse([{ id: "C-1", ids: ["C-2"], reason: "r" }]).success).toBe(false);
    expect(pendingSchema.safeParse([{ id: "C-1", reason: "r", note: "x" }]).success).toBe(false);
  });
});
