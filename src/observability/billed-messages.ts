const billedUnitBytes = 2048;

/** Returns how many messages an outbound message of this size counts as: one per started 2 KiB (M-45). */
export function billedMessages(bytes: number): number {
  return Math.ceil(bytes / billedUnitBytes);
}
