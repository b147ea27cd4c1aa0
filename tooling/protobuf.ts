// `npm run generate:protobuf`: writes the code with which the console speaks protobuf, and tests check the codec. Needs no
// network.
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./gates.ts";
import { run } from "./run.ts";

const require = createRequire(import.meta.url);
const inPackage = (name: string, path: string): string => join(dirname(require.resolve(`${name}/package.json`)), path);

/** Where `webpubsub.proto` is. */
const protoFolder = join(root, "src", "protocols", "protobuf-v1");
/** The generated file, which is kept in the repository. */
export const generatedFile = join(root, "portal", "protobuf", "webpubsub_pb.ts");

/** The text of `generatedFile` as it should be. */
export async function generate(): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), "tidewire-protobuf-"));
  try {
    const plugin = {
      local: [process.execPath, inPackage("@bufbuild/protoc-gen-es", "bin/protoc-gen-es")],
      out,
      opt: ["target=ts", "import_extension=ts"],
    };
    const template = JSON.stringify({ version: "v2", plugins: [plugin] });
    const buf = [process.execPath, inPackage("@bufbuild/buf", "bin/buf")];
    const { exitCode, output } = await run([...buf, "generate", protoFolder, "--template", template], { cwd: root });
    if (exitCode !== 0) throw new Error(`buf generate exited with ${exitCode}: ${output}`);
    return await Bun.file(join(out, "webpubsub_pb.ts")).text();
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

if (import.meta.main) await Bun.write(generatedFile, await generate());
