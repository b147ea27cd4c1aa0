// What to draw with: radio buttons, so that arrow keys work as everywhere, and letters for those who know them.
import { element } from "./elements.ts";
import type { DrawingTool, Style } from "./sketch.ts";

export interface ToolbarOptions {
  readonly undo: () => void;
  readonly zoom: (factor: number) => void;
  readonly fit: () => void;
}

/** What is chosen now. */
export type ReadStyle = () => Style;

const keys: Readonly<Record<string, DrawingTool>> = { p: "pen", e: "eraser", l: "line", r: "rectangle", o: "ellipse" };

export function openToolbar({ undo, zoom, fit }: ToolbarOptions): ReadStyle {
  const form = element("tools", HTMLFormElement);
  for (const input of form.querySelectorAll<HTMLInputElement>("input[name=colour]")) {
    input.parentElement?.style.setProperty("--swatch", input.value);
  }
  element("undo", HTMLButtonElement).addEventListener("click", undo);
  element("zoom-in", HTMLButtonElement).addEventListener("click", () => zoom(1.5));
  element("zoom-out", HTMLButtonElement).addEventListener("click", () => zoom(1 / 1.5));
  element("fit", HTMLButtonElement).addEventListener("click", fit);
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") !== null || event.altKey) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z" && !event.shiftKey) {
      event.preventDefault();
      undo();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    const tool = keys[key];
    if (tool !== undefined) select(form, "tool", tool);
    else if (key === "+") zoom(1.5);
    else if (key === "-") zoom(1 / 1.5);
    else if (key === "0") fit();
  });
  const chosen = (name: string): string =>
    form.querySelector<HTMLInputElement>(`input[name=${name}]:checked`)?.value ?? "";
  return () => ({ tool: chosen("tool") as DrawingTool, colour: chosen("colour"), width: Number(chosen("width")) });
}

function select(form: HTMLFormElement, name: string, value: string): void {
  const input = form.querySelector<HTMLInputElement>(`input[name=${name}][value=${value}]`);
  if (input !== null) input.checked = true;
}
