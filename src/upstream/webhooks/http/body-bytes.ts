/**
 * The parts of a body in one piece. A single part stays where it is; more are copied, so that a body that came as a million
 * parts takes no more room than one that came as two.
 */
export class BodyBytes {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (this.#length === 0) this.#bytes = part;
    else {
      // The first part is as long as its bytes, so nothing is ever written behind it.
      if (length > this.#bytes.length) this.#grow(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.set(part, this.#length);
    }
    this.#length = length;
  }

  /** What has been added, not to be changed. */
  all(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(length: number): void {
    const bytes = new Uint8Array(length);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
