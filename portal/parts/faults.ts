/** What is wrong with one setting, by its path. */
export interface SettingFault {
  readonly target: string;
  readonly message: string;
}

/**
 * The faults of one group of settings, their targets relative to it: of `hubs.chat`, `hubs.chat.eventHandlers[0].urlTemplate`
 * becomes `eventHandlers[0].urlTemplate`. `roots` are the ways the group's path may be written; others keep their target.
 */
export function faultsOf(faults: readonly SettingFault[], roots: readonly string[]): readonly SettingFault[] {
  return faults.map((fault) => {
    const root = roots.find((path) => isWithin(fault.target.toLowerCase(), path.toLowerCase()));
    if (root === undefined) return fault;
    return { ...fault, target: fault.target.slice(root.length).replace(/^\./, "") };
  });
}

/** What to show at a field: the first fault of its setting or of anything inside it. */
export function faultAt(faults: readonly SettingFault[], path: string): string | null {
  return faults.find(({ target }) => isWithin(target, path))?.message ?? null;
}

/** The faults that no field shows. */
export function faultsElsewhere(faults: readonly SettingFault[], fields: readonly string[]): readonly SettingFault[] {
  return faults.filter(({ target }) => !fields.some((path) => isWithin(target, path)));
}

/** Whether the setting at `target` is the one at `path` or inside it. */
function isWithin(target: string, path: string): boolean {
  if (!target.startsWith(path)) return false;
  const next = target.charAt(path.length);
  return path === "" ? target === "" : next === "" || next === "." || next === "[";
}
