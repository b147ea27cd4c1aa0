// The least a server can do for a REST send: read the body, answer 202.
import { runBare } from "./bare.ts";

runBare<object>({
  data: () => ({}),
  request: async (request) => {
    await request.text();
    return new Response(null, { status: 202 });
  },
});
