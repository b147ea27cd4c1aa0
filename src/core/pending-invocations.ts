/** Invocations of one connection that wait for their handler, by the ids the client chose (client-protocols 7.1). */
export class PendingInvocations {
  readonly #pending = new Map<string, { readonly controller: AbortController; readonly size: number }>();
  #size = 0;

  get count(): number {
    return this.#pending.size;
  }

  /** Length of everything they were asked with. */
  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    return this.#pending.has(id);
  }

  /** Notes an invocation of this size; the controller calls it off. */
  add(id: string, size: number): AbortController {
    const controller = new AbortController();
    this.#pending.set(id, { controller, size });
    this.#size += size;
    return controller;
  }

  /** Forgets an invocation that is answered; false: it was called off, and its id may be in use again. */
  settle(id: string, controller: AbortController): boolean {
    if (this.#pending.get(id)?.controller !== controller) return false;
    this.#remove(id);
    return true;
  }

  /** Calls an invocation off, if it is there. */
  cancel(id: string): void {
    this.#pending.get(id)?.controller.abort();
    this.#remove(id);
  }

  cancelAll(): void {
    for (const id of [...this.#pending.keys()]) this.cancel(id);
  }

  #remove(id: string): void {
    this.#size -= this.#pending.get(id)?.size ?? 0;
    this.#pending.delete(id);
  }
}
