/** A name with `{hub}` and further placeholders, filled in for each event. */
export interface NameTemplate {
  fill(values: Readonly<Record<string, string>>): string;
}

const placeholder = /\{([^{}]*)\}/;

/**
 * Parses a template; `illegal` matches every character that the name may not have, in inserted values it becomes `_`.
 * What stands literally is kept as the operator wrote it; the configuration knows the placeholders already.
 */
export function parseNameTemplate(source: string, illegal: RegExp): NameTemplate {
  // Literal text at even places, placeholder names at odd ones.
  const parts = source.split(placeholder);
  return {
    fill: (values) =>
      parts
        .map((part, index) => (index % 2 === 0 ? part : (values[part.toLowerCase()] ?? "").replaceAll(illegal, "_")))
        .join(""),
  };
}
