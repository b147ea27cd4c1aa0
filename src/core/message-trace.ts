/** A message on its way, as long as somebody watches. Plain data, so that it can go to other nodes with the message. */
export interface MessageTrace {
  readonly id: string;
  /** Milliseconds since the epoch, with fractions; on one node it never goes back. */
  readonly receivedAt: number;
}
