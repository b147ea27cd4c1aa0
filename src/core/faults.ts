import type { AckError } from "./outbound.ts";

/** How one expected failure looks in an ack, over REST and in the documentation. */
export interface FaultRow {
  /** `error.name` of the ack; null when the fault cannot be answered by an ack. */
  readonly ack: AckError["name"] | null;
  /** HTTP status over REST; null when it cannot arise there. */
  readonly http: number | null;
  /** `code` and `x-ms-error-code` over REST (rest-api 5.2). */
  readonly code: string | null;
  readonly spec: string;
}

/** Every expected failure of a command or of a REST operation, in one table. */
export const faults = {
  forbidden: { ack: "Forbidden", http: 403, code: "Error.Forbidden", spec: "C-31 R-35" },
  duplicateAckId: { ack: "Duplicate", http: null, code: null, spec: "C-33" },
  eventFailed: { ack: "InternalServerError", http: null, code: null, spec: "C-53" },
  badRequest: { ack: null, http: 400, code: "Error.BadRequest", spec: "R-4" },
  unauthorized: { ack: null, http: 401, code: "Error.Unauthorized", spec: "R-16" },
  connectionUnknown: { ack: null, http: 404, code: "Error.Connection.NotExisted", spec: "R-39" },
  permissionDenied: { ack: null, http: 404, code: "Info.Connection.NotExisted", spec: "R-88 R-91" },
  connectionAbsent: { ack: null, http: 404, code: "Warning.Connection.NotExisted", spec: "R-60" },
  groupAbsent: { ack: null, http: 404, code: "Warning.Group.NotExisted", spec: "R-61" },
  userAbsent: { ack: null, http: 404, code: "Warning.User.NotExisted", spec: "R-62" },
  userUnknown: { ack: null, http: 404, code: "Error.User.NotExisted", spec: "R-68" },
  tooManyPermissions: { ack: null, http: 409, code: "Error.Connection.Conflict", spec: "R-93" },
  throttled: { ack: null, http: 429, code: "Error.Throttled", spec: "M-44" },
  internalError: { ack: "InternalServerError", http: 500, code: "Error.InternalServerError", spec: "rest-api 5.2" },
  notImplemented: { ack: null, http: 501, code: "NotImplemented", spec: "rest-api 16.1" },
  stopped: { ack: null, http: 503, code: "Error.ServiceStopped", spec: "M-60" },
} as const satisfies Record<string, FaultRow>;

export type FaultName = keyof typeof faults;
