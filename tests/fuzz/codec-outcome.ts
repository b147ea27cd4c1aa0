import type { Decoded } from "../../src/protocols/codec.ts";
import { typeProblem } from "../support/within-type.ts";
import type { Outcome } from "./target.ts";

/** A command must be within its type. */
export function codecOutcome(decoded: Decoded): Outcome {
  return { kind: decoded.kind, problem: () => typeProblem(decoded) };
}
