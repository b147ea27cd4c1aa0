import * as z from "zod";

/** When a changed value takes effect: on reload for what happens next, or at the next start. */
export type TakesEffect = "reload" | "restart";

/** What the documentation, the help text and the environment mapping know about one setting. */
export interface FieldMeta {
  readonly description: string;
  /** Kind of value, as a reader of the documentation sees it. */
  readonly type: string;
  readonly unit?: string;
  readonly range?: string;
  /** Default as shown where the schema's own default would not say it. */
  readonly defaultText?: string;
  readonly takesEffect?: TakesEffect;
  /** A file name, resolved against the folder of the configuration file or, from outside it, the working directory. */
  readonly isPath?: true;
  /** A value that no message and no documentation may repeat. */
  readonly isSecret?: true;
  /** Text in which `{@Env(NAME)}` and `{@File(path)}` are replaced before validation. */
  readonly insertsSecrets?: true;
}

/** What a leaf's reader answers: the typed value, or what was expected. */
export type Parsed<T> = { readonly value: T } | { readonly expected: string };

/** Where a setting is explained: everything of `FieldMeta` that its kind does not already say. */
export type FieldText = Pick<FieldMeta, "description"> &
  Partial<Pick<FieldMeta, "unit" | "takesEffect" | "defaultText">>;

/** A leaf of the schema: `parse` sees the raw value and decides alone, so that messages are ours and name no secret. */
export function leaf<T>(parse: (raw: unknown) => Parsed<T>, meta: FieldMeta) {
  return z
    .unknown()
    .transform((raw, context): T => {
      const parsed = raw === undefined ? { expected: "is required" } : parse(raw);
      if ("value" in parsed) return parsed.value;
      context.addIssue({ code: "custom", message: parsed.expected });
      return z.NEVER;
    })
    .meta({ ...meta });
}

/** Free text; empty text is refused unless the range says otherwise. */
export function text(field: FieldText & { readonly allowEmpty?: boolean; readonly isSecret?: true }) {
  const { allowEmpty = false, ...meta } = field;
  return leaf<string>(
    (raw) => {
      if (typeof raw !== "string") return { expected: "must be text (put numbers in quotes)" };
      return raw === "" && !allowEmpty ? { expected: "must not be empty" } : { value: raw };
    },
    { type: "text", ...meta },
  );
}

/** A secret; also readable from a file through the setting with `File` appended, see `secretFile`. */
export function secret(field: FieldText) {
  return text({ ...field, isSecret: true });
}

/** The file variant of a secret: its content, without one final line break, becomes the value before validation. */
export function secretFile(what: string) {
  return leaf<string>(
    (raw) => (typeof raw === "string" && raw !== "" ? { value: raw } : { expected: "must be a file name" }),
    {
      type: "file name",
      description: `File that holds ${what}.`,
      isPath: true,
    },
  );
}

/** A file or folder name. */
export function fileName(field: FieldText) {
  return leaf<string>(
    (raw) => (typeof raw === "string" && raw !== "" ? { value: raw } : { expected: "must be a file name" }),
    {
      type: "file name",
      ...field,
      isPath: true,
    },
  );
}

/** A whole number within bounds; decimal text is accepted because variables and substitutions are text. */
export function wholeNumber(field: FieldText & { readonly min: number; readonly max: number }) {
  const { min, max, ...meta } = field;
  const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
  return leaf<number>(
    (raw) => {
      const number = typeof raw === "string" && /^-?[0-9]{1,16}$/.test(raw) ? Number(raw) : raw;
      const isWithin = typeof number === "number" && Number.isSafeInteger(number) && number >= min && number <= max;
      return isWithin ? { value: number } : { expected: `must be a whole number, ${range}` };
    },
    { type: "whole number", range, ...meta },
  );
}

/** Yes or no; ARM's string booleans (`"true"`, any case) are accepted. */
export function flag(field: FieldText) {
  return leaf<boolean>(
    (raw) => {
      if (typeof raw === "boolean") return { value: raw };
      const lower = typeof raw === "string" ? raw.toLowerCase() : "";
      if (lower === "true" || lower === "false") return { value: lower === "true" };
      return { expected: "must be true or false" };
    },
    { type: "true or false", ...field },
  );
}

/** One of a few words, compared ignoring case as ARM does; the value is in the spelling given here. */
export function choice<const T extends string>(choices: readonly T[], field: FieldText) {
  return leaf<T>(
    (raw) => {
      const found =
        typeof raw === "string" ? choices.find((word) => word.toLowerCase() === raw.toLowerCase()) : undefined;
      return found === undefined ? { expected: `must be ${oneOf(choices)}` } : { value: found };
    },
    { type: choices.map((word) => `\`${word}\``).join(", "), ...field },
  );
}

/** A list; `item` is a leaf or an object. */
export function list<Item extends z.ZodType>(item: Item, field: FieldText & { readonly max?: number }) {
  const { max, ...rest } = field;
  const bounded = max === undefined ? z.array(item) : z.array(item).max(max, `must have at most ${max} entries`);
  return bounded.meta({ type: "list", ...(max === undefined ? {} : { range: `at most ${max} entries` }), ...rest });
}

/** An object with exactly these keys; `takesEffect` holds for all of them. */
export function group<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  description: string,
  takesEffect: TakesEffect = "reload",
) {
  return z.strictObject(shape).meta({ description, type: "object", takesEffect });
}

/** Text that `check` accepts; `check` returns what is wrong, or null. */
export function checkedText(
  check: (raw: string) => string | null,
  field: FieldText & Pick<FieldMeta, "type" | "range" | "insertsSecrets">,
) {
  return leaf<string>((raw) => {
    if (typeof raw !== "string") return { expected: "must be text (put numbers in quotes)" };
    const fault = check(raw);
    return fault === null ? { value: raw } : { expected: fault };
  }, field);
}

/** A setting that may be left out; its value is then null. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullable().default(null);
}

function oneOf(words: readonly string[]): string {
  return words.length <= 1 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
