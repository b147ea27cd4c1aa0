/** Work items that were sent off and have not come back. */
export class UnderWay {
  #items = 0;
  #settled: (() => void) | null = null;

  get items(): number {
    return this.#items;
  }

  sent(): void {
    this.#items += 1;
  }

  /** Throws when nothing is missing: something came that nobody asked for. */
  back(): void {
    if (this.#items === 0) throw new Error("more came back than was sent");
    this.#items -= 1;
    if (this.#items === 0) this.#settled?.();
  }

  /** Resolves when all have come back; until then nothing new may be sent. */
  settle(): Promise<void> {
    if (this.#items === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settled = () => {
        this.#settled = null;
        resolve();
      };
    });
  }
}
