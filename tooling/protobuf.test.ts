import { expect, test } from "bun:test";
import { generate, generatedFile } from "./protobuf.ts";

test("the generated protobuf code is what webpubsub.proto says; else run `npm run generate:protobuf`", async () => {
  expect(await Bun.file(generatedFile).text()).toBe(await generate());
});
