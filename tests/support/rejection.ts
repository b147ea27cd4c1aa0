/**
 * Message of the error a promise is rejected with; throws when it is not. For `expect(promise).rejects`, which runs the
 * event loop in a nested way and makes the test process lose output of servers it has started.
 */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  const message = await promise.then(
    () => null,
    (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
  );
  if (message === null) throw new Error("the promise was fulfilled");
  return message;
}
