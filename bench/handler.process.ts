// The application behind the event handler scenario: answers every event with its own text, and abuse protection with
// everybody. Its CPU time is nobody's price.
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  fetch: async (request) => {
    if (request.method === "OPTIONS") return new Response(null, { headers: { "WebHook-Allowed-Origin": "*" } });
    return new Response(await request.text(), { headers: { "Content-Type": "text/plain" } });
  },
});
// In the form in which the service tells where it is, so that both are started alike.
console.log(`Endpoint=http://127.0.0.1:${server.port};AccessKey=unchecked;Version=1.0;`);
