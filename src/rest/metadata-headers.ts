import { checkMetadata, type Metadata, type MetadataProblem, metadataLimits } from "../core/payload.ts";
import { badRequest, type Problem } from "./errors.ts";

const prefix = "x-webpubsub-metadata-";

/**
 * Reads message metadata from `X-WebPubSub-Metadata-<key>` headers; null when there is none. The part after the last comma
 * wins, which covers repeated headers too, because `Headers` joins them with a comma.
 * @spec R-56 R-57
 */
export function readMetadata(headers: Headers): Metadata | null | Problem {
  const metadata: (readonly [string, string])[] = [];
  for (const name of headers.keys()) {
    if (!name.startsWith(prefix)) continue;
    const value = headers.get(name) ?? "";
    metadata.push([name.slice(prefix.length), value.slice(value.lastIndexOf(",") + 1).trim()]);
  }
  if (metadata.length === 0) return null;
  const problem = checkMetadata(metadata);
  return problem === null ? metadata : badRequest(describe(problem));
}

function describe({ kind, key }: MetadataProblem): string {
  switch (kind) {
    case "keyCharacters":
      return `Metadata key '${key}' contains invalid characters.`;
    case "keyLength":
      return `Metadata key '${key}' exceeds ${metadataLimits.keyLength} bytes.`;
    case "valueCharacters":
      return `Metadata value for key '${key}' must be ASCII.`;
    case "valueLength":
      return `Metadata value for key '${key}' exceeds ${metadataLimits.valueLength} bytes.`;
    case "duplicateKey":
      return `Metadata key '${key}' is repeated.`;
    case "totalLength":
      return `Metadata exceeds ${metadataLimits.totalLength} bytes.`;
  }
}
