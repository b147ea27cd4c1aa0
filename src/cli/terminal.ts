import { readEnvironment } from "../config/load.ts";
import { escapeControls } from "../observability/escape-controls.ts";

/** Text that others chose, such as a message of a client: it must not steer the terminal of whoever reads it. */
export function safeText(text: string): string {
  return escapeControls(text);
}

/** A colour of the terminal; it returns the text alone where colours are not wanted. */
export type Paint = (text: string) => string;

export interface Palette {
  readonly dim: Paint;
  readonly bold: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

/** Colours for a stream: only on a terminal, and never with `NO_COLOR` set to anything. */
export function paletteFor(stream: { readonly isTTY?: boolean }): Palette {
  const wanted = stream.isTTY === true && (readEnvironment()["NO_COLOR"] ?? "") === "";
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      wanted ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  return {
    dim: paint(2, 22),
    bold: paint(1, 22),
    red: paint(31, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}
