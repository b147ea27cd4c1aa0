// The least a server can do for a connection: accept, upgrade, one frame, and a small object to know it by.
import { runBare } from "./bare.ts";

let last = 0;

runBare<{ readonly id: number }>({
  data: () => {
    last += 1;
    return { id: last };
  },
});
