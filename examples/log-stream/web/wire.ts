// A hand on the WebSocket below the SDK: to see whether it is open, and to cut it.

/** Closed with a code that is no good-bye, so the service keeps the connection for a while, as after any lost network. */
const cutCode = 4000;

export interface Wire {
  /** Drops the WebSocket, and lets none be opened for a while. */
  cut(forMs: number): void;
}

/** Takes the place of the page's WebSocket. The SDK neither offers this nor notices it. */
export function holdWire(onChange: (isOpen: boolean) => void): Wire {
  let closeCurrent = (): void => {};
  let cutUntil = 0;
  globalThis.WebSocket = class extends globalThis.WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      if (Date.now() < cutUntil) throw new Error("the connection is cut");
      super(url, protocols);
      closeCurrent = () => this.close(cutCode);
      this.addEventListener("open", () => onChange(true));
      this.addEventListener("close", () => onChange(false));
    }
  };
  return {
    cut(forMs) {
      cutUntil = Date.now() + forMs;
      closeCurrent();
    },
  };
}
