import { jsonV1Codec } from "../../src/protocols/json-v1/codec.ts";
import { simpleCodec } from "../../src/protocols/simple/codec.ts";
import { codecContract } from "./codec.contract.ts";

codecContract("simple", simpleCodec, ["hi", "", new Uint8Array([1, 2, 3]), new Uint8Array()]);

codecContract("json.webpubsub.azure.v1", jsonV1Codec, [
  '{"type":"joinGroup","group":"red","ackId":1}',
  '{"type":"leaveGroup","group":"red"}',
  '{"type":"sendToGroup","group":"red","ackId":2,"noEcho":true,"ttlSeconds":9,"dataType":"text","data":"hi"}',
  '{"type":"sendToGroup","group":"red","dataType":"binary","data":"AQID","metadata":{"k":"v"}}',
  '{"type":"event","event":"order","ackId":3,"data":{"n":[5,null,1.0e3]}}',
  '{"type":"sequenceAck","sequenceId":18446744073709551615}',
  '{"type":"ping"}',
]);
