import { fileURLToPath } from "node:url";

/** Where the documentation is: it comes with the package, so it is there without a network and fits this version. */
export const documentation = fileURLToPath(new URL("../../README.md", import.meta.url));
