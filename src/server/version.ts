import manifest from "../../package.json" with { type: "json" };

/** Version of this product, as the package manifest says. */
export const version: string = manifest.version;
