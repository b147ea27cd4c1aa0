import type { FollowedDelivery, MessageTrace, ReceivedMessage } from "../../../src/core/message-trace.ts";
import type { Clock, ConnectionFacts, MessageTelemetry } from "../../../src/core/ports.ts";
import type { Publication } from "../../../src/core/publication.ts";

/** Follows every message to everybody, and keeps what it is told as short texts; connections by the end of their ids. */
export class FakeMessages implements MessageTelemetry {
  readonly #clock: Clock;
  #texts: string[] = [];
  #traces = 0;
  leftOut = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What was told since the last look. */
  taken(): readonly string[] {
    const texts = this.#texts;
    this.#texts = [];
    return texts;
  }

  /** The deliveries of it. */
  steps(): readonly string[] {
    return this.taken().filter((text) => /^t\d/.test(text));
  }

  now(): number {
    return this.#clock.now();
  }

  arrived(): MessageTrace {
    this.#traces += 1;
    return { id: `t${this.#traces}`, receivedAt: this.now() };
  }

  received({ id }: MessageTrace, { from, kind, name, size }: ReceivedMessage): void {
    this.#texts.push(`received ${id} ${kind} ${name ?? ""} ${size} from ${from.id === null ? "REST" : short(from.id)}`);
  }

  published<Recipient extends ConnectionFacts>(
    { trace }: Publication,
    recipients: Iterable<Recipient>,
  ): FollowedDelivery<Recipient>[] {
    const all = [...recipients];
    this.#texts.push(`published ${trace?.id ?? "-"} to ${all.length}`);
    return trace === null ? [] : all.map((recipient) => this.answered(trace, recipient));
  }

  answered<Recipient extends ConnectionFacts>(trace: MessageTrace, recipient: Recipient): FollowedDelivery<Recipient> {
    return {
      recipient,
      told: ({ stage, sequenceId, queueLength }) => {
        const number = sequenceId === null ? "" : ` #${sequenceId}`;
        this.#texts.push(`${trace.id} ${stage} ${short(recipient.id)}${number} of ${queueLength}`);
      },
      leftOut: () => {
        this.leftOut += 1;
      },
    };
  }

  groupChanged(): void {}

  eventUnhandled(_connection: ConnectionFacts, _event: string, trace: MessageTrace | null): void {
    this.#texts.push(`unhandled ${trace?.id ?? "-"}`);
  }

  refused(_connection: ConnectionFacts, _error: object, trace: MessageTrace | null): void {
    this.#texts.push(`refused ${trace?.id ?? "-"}`);
  }
}

function short(id: string): string {
  return id.replace(/^.*?([1-9]\d*)$/, "$1");
}
