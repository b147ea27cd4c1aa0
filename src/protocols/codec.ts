import type { Command } from "../core/commands.ts";
import type { EndingCause } from "../core/endings.ts";
import type { Frame } from "../core/outbound.ts";
import type { WireFormat } from "../core/ports.ts";
import type { SimpleMode } from "./simple/mode.ts";

/** A frame that ends the connection. */
export interface DecodeFault {
  readonly kind: "fault";
  readonly cause: EndingCause;
  /** What is wrong, for `system/disconnected`; never quotes the frame. null: the reason of the ending says it all. */
  readonly text: string | null;
}

/** What one frame means. Both shapes carry `kind`, so telling them apart costs one comparison and no wrapper. */
export type Decoded = Command | DecodeFault;

/**
 * One wire format: frames of a client to commands, outbound values to frames. Pure and shared by all connections that
 * speak it; what a connection needs between two frames is in its `State`, never in the codec.
 */
export interface Codec<State> extends WireFormat {
  /** Canonical (lower-case) name; null for simple clients, which speak any other subprotocol or none. */
  readonly subprotocol: string | null;
  /** State of a new connection. `mode` comes from the query and concerns simple clients only (client-protocols 2.3). */
  initial(mode: SimpleMode): State;
  /**
   * Decodes one reassembled WebSocket message. Takes any frame, never throws, in time linear in its length. The command
   * keeps no more than a small constant times its own size alive, however big the frame was.
   */
  decode(state: State, frame: Frame): Decoded;
}
