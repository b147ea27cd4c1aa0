/** What a decoder made of an input. */
export interface Outcome {
  /** For a codec that of the command, or "fault". */
  readonly kind: string;
  /** What is wrong with the result; null: nothing. Is not part of the time an input takes. */
  problem(): string | null;
}

/** One decoder under attack. Everything is bytes here; a text decoder turns them into text itself. */
export interface FuzzTarget {
  /** For `--only` and for reports. */
  readonly name: string;
  /** Folder below `corpus/` with one seed per file, and the files' extension (no dot). */
  readonly corpusFolder: string;
  readonly extension: string;
  /** Whether the format is text, whose words can be swapped. */
  readonly isText: boolean;
  /** What inputs around the corpus must become among other things; a fuzzer that stays at the surface finds nothing. */
  readonly kinds: readonly string[];
  /** What the format is made of; the mutator plants these between a seed's bytes. */
  readonly dictionary: readonly Uint8Array[];
  /** Seeds that are too big to keep as files, by what they are. */
  readonly generated: Readonly<Record<string, () => Uint8Array>>;
  /** The real decoder. Must return for every input; a throw is the fault the fuzzer looks for. */
  decode(bytes: Uint8Array): Outcome;
}
