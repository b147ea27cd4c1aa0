// The least a server can do for an inbound message: parse it and write an ack back at once. It delivers nothing.
import { asAck, readPublication, runBare } from "./bare.ts";

runBare<object>({
  data: () => ({}),
  message: (sender, text) => void sender.send(asAck(readPublication(text).ackId)),
});
