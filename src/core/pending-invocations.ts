import { Cancellation } from "./cancellation.ts";

/** Invocations of one connection that wait for their handler, by the ids the client chose (client-protocols 7.1). */
export class PendingInvocations {
  readonly #pending = new Map<string, { readonly cancellation: Cancellation; readonly size: number }>();
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

  /** Notes an invocation of this size; the cancellation calls it off. */
  add(id: string, size: number): Cancellation {
    const cancellation = new Cancellation();
    this.#pending.set(id, { cancellation, size });
    this.#size += size;
    return cancellation;
  }

  /** Forgets an invocation that is answered; false: it was called off, and its id may be in use again. */
  settle(id: string, cancellation: Cancellation): boolean {
    if (this.#pending.get(id)?.cancellation !== cancellation) return false;
    this.#remove(id);
    return true;
  }

  /** Calls an invocation off, if it is there. */
  cancel(id: string): void {
    this.#pending.get(id)?.cancellation.abort();
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
