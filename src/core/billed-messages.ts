const unitShift = 11;
const unitRest = (1 << unitShift) - 1;

/** How many messages an outbound message of this size counts as: one per started 2 KiB (M-45). Below 2 GiB. */
export function billedMessages(bytes: number): number {
  return (bytes + unitRest) >> unitShift;
}
