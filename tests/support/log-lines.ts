import type { Server } from "./server.ts";

/** One line of the resource log. */
export interface ResourceLine {
  readonly resourceId: string;
  readonly location: string;
  readonly time: string;
  readonly level: string;
  readonly category: string;
  readonly operationName: string;
  readonly callerIpAddress?: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The lines of the resource log written so far: JSON objects with a category on standard output. */
export function resourceLines(server: Server): readonly ResourceLine[] {
  const whole = server.process.stdout.split("\n").slice(0, -1); // the last one may still be arriving
  return whole.flatMap((line) => {
    if (!line.startsWith("{") || !line.endsWith("}")) return [];
    const parsed = JSON.parse(line) as Partial<ResourceLine>;
    return parsed.category === undefined ? [] : [parsed as ResourceLine];
  });
}

/** Waits for a line of the resource log with this text in it, and returns all such lines. */
export async function resourceLinesWith(server: Server, operationName: string, text: string) {
  const escaped = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  await server.process.written(new RegExp(`"operationName":"${escaped(operationName)}".*${escaped(text)}.*\\n`));
  return resourceLines(server).filter(
    (line) => line.operationName === operationName && JSON.stringify(line).includes(text),
  );
}
