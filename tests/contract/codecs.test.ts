import { jsonV1Codec } from "../../src/protocols/json-v1/codec.ts";
import { protobufV1Codec } from "../../src/protocols/protobuf-v1/codec.ts";
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
  '{"type":"invoke","invocationId":"1","target":"event","event":"calc","dataType":"json","data":{"x":2}}',
  '{"type":"cancelInvocation","invocationId":"1"}',
  '{"type":"sendToGroup","group":"red","noEcho":false,"stream":{"streamId":"s1","idleTimeoutMs":300000}}',
  '{"type":"streamData","streamId":"s1","streamSequenceId":1,"dataType":"text","data":"a"}',
  '{"type":"streamData","streamId":"s1"}',
  '{"type":"streamEnd","streamId":"s1","error":{"message":"m","userErrorCode":"E"}}',
  '{"type":"setGroupState","group":"red","state":{"mood":"fine"},"ackId":4}',
  '{"type":"subscribeGroupState","group":"red"}',
  '{"type":"unsubscribeGroupState","group":"red"}',
]);

codecContract(
  "protobuf.webpubsub.azure.v1",
  protobufV1Codec,
  [
    "32080a04726f6f6d1000",
    "3a080a04726f6f6d1003",
    "0a100a04726f6f6d10011a040a0268692001",
    "0a160a04726f6f6d1a040a026869283c32060a016b120176",
    "0a170a04726f6f6d1a0f1a0d0a06742e636f2f541203010203",
    "2a0d0a026576120512030102031804",
    "420b08ffffffffffffffffff01",
    "4a00",
    "0a0f0a04726f6f6d3a070a017310e0d403",
    "6a0a0a017310011a030a0178",
    "6a030a0173",
    "72030a0173",
  ].map((hex) => Uint8Array.fromHex(hex)),
);
