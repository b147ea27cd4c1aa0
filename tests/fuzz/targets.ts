import { httpReplyTarget } from "./http-reply-target.ts";
import { jsonTarget } from "./json-target.ts";
import { protobufTarget } from "./protobuf-target.ts";
import type { FuzzTarget } from "./target.ts";

/** Every decoder that is attacked. */
export const fuzzTargets: readonly FuzzTarget[] = [jsonTarget, protobufTarget, httpReplyTarget];
