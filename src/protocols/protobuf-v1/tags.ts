// Tags as they stand on the wire: the field's number and how its value is written. Names and numbers are those of
// webpubsub.proto. A field written another way has another tag, so it is skipped like every unknown field.

const varint = (field: number): number => field * 8;
const delimited = (field: number): number => field * 8 + 2;

export const upstreamTags = {
  sendToGroup: delimited(1),
  event: delimited(5),
  joinGroup: delimited(6),
  leaveGroup: delimited(7),
  sequenceAck: delimited(8),
  ping: delimited(9),
  streamData: delimited(13),
  streamEnd: delimited(14),
} as const;

export const sendToGroupTags = {
  group: delimited(1),
  ackId: varint(2),
  data: delimited(3),
  noEcho: varint(4),
  ttlSeconds: varint(5),
  metadata: delimited(6),
  stream: delimited(7),
} as const;

export const eventTags = {
  event: delimited(1),
  data: delimited(2),
  ackId: varint(3),
  metadata: delimited(4),
  stream: delimited(5),
} as const;

/** JoinGroupMessage and LeaveGroupMessage. */
export const membershipTags = { group: delimited(1), ackId: varint(2) } as const;

export const sequenceAckTags = { sequenceId: varint(1) } as const;

export const streamStartTags = { streamId: delimited(1), idleTimeoutMs: varint(2) } as const;
export const streamDataTags = { streamId: delimited(1), sequenceId: varint(2), data: delimited(3) } as const;
export const streamEndTags = { streamId: delimited(1), error: delimited(2) } as const;
export const streamEndErrorTags = { message: delimited(1), userErrorCode: delimited(2) } as const;

export const dataTags = {
  text: delimited(1),
  binary: delimited(2),
  protobuf: delimited(3),
  json: delimited(4),
} as const;

export const mapEntryTags = { key: delimited(1), value: delimited(2) } as const;

export const downstreamTags = {
  ack: delimited(1),
  data: delimited(2),
  system: delimited(3),
  pong: delimited(4),
  streamAck: delimited(6),
  streamNack: delimited(7),
  streamClosed: delimited(8),
} as const;

export const ackTags = { ackId: varint(1), success: varint(2), error: delimited(3) } as const;
/** ErrorMessage and StreamClosedError. */
export const errorTags = { name: delimited(1), message: delimited(2) } as const;
export const dataMessageTags = {
  from: delimited(1),
  group: delimited(2),
  data: delimited(3),
  sequenceId: varint(4),
  metadata: delimited(5),
  stream: delimited(6),
} as const;
export const streamInfoTags = {
  streamId: delimited(1),
  sequenceId: varint(2),
  endOfStream: varint(3),
  error: delimited(4),
} as const;
export const streamErrorTags = { name: delimited(1), message: delimited(2), userErrorCode: delimited(3) } as const;
export const streamAckTags = { streamId: delimited(1), expected: varint(2) } as const;
export const streamNackTags = {
  streamId: delimited(1),
  name: delimited(2),
  message: delimited(3),
  expected: varint(4),
} as const;
export const streamClosedTags = { streamId: delimited(1), error: delimited(2) } as const;
export const systemTags = { connected: delimited(1), disconnected: delimited(2) } as const;
export const connectedTags = {
  connectionId: delimited(1),
  userId: delimited(2),
  reconnectionToken: delimited(3),
} as const;
export const disconnectedTags = { reason: delimited(2) } as const;
