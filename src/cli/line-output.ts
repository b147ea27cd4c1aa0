/** Bytes of log that may wait for a slow reader; ours, as much as a slow client may leave waiting (H-35). */
const maxWaitingBytes = 16_777_216;

/**
 * Returns a writer of lines that never fails and holds a bounded amount of memory: lines for a reader that has gone
 * away, or behind 16 MiB that a stalled one has left waiting, are dropped. `lost` is told how many once lines pass again.
 */
export function lineOutput(
  stream: Pick<NodeJS.WritableStream, "on" | "write">,
  lost: (lines: number) => void,
): (line: string) => void {
  let waitingBytes = 0;
  let droppedLines = 0;
  // A broken pipe costs the log, not the service.
  stream.on("error", () => {});
  const write = (line: string): void => {
    const text = `${line}\n`;
    const bytes = Buffer.byteLength(text);
    waitingBytes += bytes;
    stream.write(text, () => {
      waitingBytes -= bytes;
    });
  };
  return (line) => {
    if (waitingBytes > maxWaitingBytes) {
      droppedLines += 1;
      return;
    }
    if (droppedLines > 0) {
      const lines = droppedLines;
      droppedLines = 0;
      lost(lines);
    }
    write(line);
  };
}
