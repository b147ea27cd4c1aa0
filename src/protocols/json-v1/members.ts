import { scanObject } from "../shared/json-scanner.ts";
import { detach, unescapeName } from "./read.ts";

/** Source text of the members that a request can have; "" where there is none, the last of equal ones counts. */
export interface Members {
  type: string;
  group: string;
  event: string;
  data: string;
  dataType: string;
  ackId: string;
  noEcho: string;
  ttlSeconds: string;
  metadata: string;
  sequenceId: string;
  stream: string;
  rare: RareMembers;
}

/** The same of the requests of client-protocols 7: apart, so that the frequent ones do not pay for them. */
export interface RareMembers {
  streamId: string;
  streamSequenceId: string;
  error: string;
  invocationId: string;
  target: string;
  state: string;
}

const noneRare: Readonly<RareMembers> = {
  streamId: "",
  streamSequenceId: "",
  error: "",
  invocationId: "",
  target: "",
  state: "",
};

/** Reads a request, or returns null if it is not a valid object. `data` does not keep a big frame alive, the others do. */
export function readMembers(frame: string): Members | null {
  const scanner = scanObject(frame);
  if (scanner === null) return null;
  const members: Members = {
    type: "",
    group: "",
    event: "",
    data: "",
    dataType: "",
    ackId: "",
    noEcho: "",
    ttlSeconds: "",
    metadata: "",
    sequenceId: "",
    stream: "",
    rare: noneRare,
  };
  for (;;) {
    const step = scanner.next();
    if (step === "invalid") return null;
    if (step === "end") break;
    const name = frame.slice(scanner.nameStart + 1, scanner.nameEnd - 1);
    const value = frame.slice(scanner.valueStart, scanner.valueEnd);
    setMember(members, name.includes("\\") ? unescapeName(name) : name, value);
  }
  members.data = detach(members.data, frame);
  return members;
}

// One assignment per name: storing under a computed name took three times as long.
function setMember(members: Members, name: string, value: string): void {
  switch (name) {
    case "type":
      members.type = value;
      break;
    case "group":
      members.group = value;
      break;
    case "event":
      members.event = value;
      break;
    case "data":
      members.data = value;
      break;
    case "dataType":
      members.dataType = value;
      break;
    case "ackId":
      members.ackId = value;
      break;
    case "noEcho":
      members.noEcho = value;
      break;
    case "ttlSeconds":
      members.ttlSeconds = value;
      break;
    case "metadata":
      members.metadata = value;
      break;
    case "sequenceId":
      members.sequenceId = value;
      break;
    case "stream":
      members.stream = value;
      break;
    default:
      setRareMember(members, name, value);
  }
}

function setRareMember(members: Members, name: string, value: string): void {
  if (!Object.hasOwn(noneRare, name)) return;
  if (members.rare === noneRare) members.rare = { ...noneRare };
  const { rare } = members;
  switch (name) {
    case "streamId":
      rare.streamId = value;
      break;
    case "streamSequenceId":
      rare.streamSequenceId = value;
      break;
    case "error":
      rare.error = value;
      break;
    case "invocationId":
      rare.invocationId = value;
      break;
    case "target":
      rare.target = value;
      break;
    case "state":
      rare.state = value;
      break;
  }
}
