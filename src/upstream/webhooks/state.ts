/** Ours: receivers limit all headers together to 16 to 32 KiB (event-handlers 5). */
const maxStateLength = 8192;
const headerSafe = /^[\t\x20-\x7e]*$/;

/**
 * The connection state after a successful reply to a blocking event: `current` if the reply names none, else the reply's,
 * which may be empty. Undefined for one that could not be sent again (not ASCII, over 8 KiB): the reply counts as failed.
 * @spec E-29 E-71 E-72
 */
export function nextState(current: string | null, received: string | null): string | null | undefined {
  if (received === null) return current;
  return received.length <= maxStateLength && headerSafe.test(received) ? received : undefined;
}
