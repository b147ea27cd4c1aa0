/** Settings as the API has them, of whatever kind. */
export type RawSettings = Readonly<Record<string, unknown>>;

/** Whether it holds further settings. */
export function isRawSettings(value: unknown): value is RawSettings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path, or undefined. */
export function valueAt(settings: RawSettings, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isRawSettings(value) ? value[name] : undefined), settings);
}

/** The settings with this value at the path; undefined removes it, and groups that have nothing left with it. */
export function withValue(settings: RawSettings, path: readonly string[], value: unknown): RawSettings {
  const [name, ...rest] = path;
  if (name === undefined) return settings;
  const below = settings[name];
  const changed = rest.length === 0 ? value : withValue(isRawSettings(below) ? below : {}, rest, value);
  const isGone =
    changed === undefined || (rest.length > 0 && isRawSettings(changed) && Object.keys(changed).length === 0);
  if (!isGone) return { ...settings, [name]: changed };
  const { [name]: _gone, ...others } = settings;
  return others;
}

/** The text at a path; "" where there is none. */
export function textAt(settings: RawSettings, path: readonly string[]): string {
  const value = valueAt(settings, path);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** The texts of the list at a path. */
export function textsAt(settings: RawSettings, path: readonly string[]): readonly string[] {
  const value = valueAt(settings, path);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The groups of settings in the list at a path. */
export function groupsAt(settings: RawSettings, path: readonly string[]): readonly RawSettings[] {
  const value = valueAt(settings, path);
  return Array.isArray(value) ? value.filter(isRawSettings) : [];
}
