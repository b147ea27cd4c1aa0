/** Something wrong or noteworthy in the configuration; never contains the value of a secret. */
export interface Problem {
  /** The setting's full name, such as `hubs.chat.eventHandlers[0].urlTemplate`; a file or variable name where no setting is at fault. */
  readonly path: string;
  readonly message: string;
}

export type PathSegment = string | number;

const plainKey = /^[A-Za-z_*][A-Za-z0-9_*-]*$/;

/** Writes a path the way problems and the documentation show it: `hubs["a.b"].eventHandlers[0]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else if (plainKey.test(String(segment))) text += text === "" ? String(segment) : `.${String(segment)}`;
    else text += `[${JSON.stringify(String(segment))}]`;
  }
  return text;
}

/** One line for a terminal or a log: `path: message`, or the message alone where no path is at fault. */
export function formatProblem(problem: Problem): string {
  return problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`;
}
