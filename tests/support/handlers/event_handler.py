"""An event handler that relies on what the Python samples rely on, with the standard library alone.

Listens on a free loopback port, prints its URL, then one JSON line per event.
"""

import http.server
import json
import threading

printing = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_OPTIONS(self):
        if self.path != "/eventhandler":
            return self.answer(404)
        if self.headers.get("WebHook-Request-Origin"):
            self.answer(200, {"WebHook-Allowed-Origin": "*"})

    def do_POST(self):
        if self.path != "/eventhandler":
            return self.answer(404)
        kind = self.headers.get("ce-type")
        user = self.headers.get("ce-userid")
        text = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        with printing:
            print(json.dumps({"type": kind, "user": user, "text": text}), flush=True)
        if kind == "azure.webpubsub.sys.connect":
            names = json.loads(text)["query"].get("id")
            if not names:
                return self.answer(401, {"Content-Type": "text/plain"}, "missing user id")
            return self.answer(200, {"Content-Type": "application/json"}, json.dumps({"userId": names[0]}))
        if kind == "azure.webpubsub.sys.connected":
            return self.answer(200, {"Content-Type": "text/html; charset=utf-8"}, user + " connected")
        if kind == "azure.webpubsub.sys.disconnected":
            return self.answer(204)
        if kind == "azure.webpubsub.user.message":
            return self.answer(204, {"Content-Type": "text/plain"})
        if kind == "azure.webpubsub.user.echo":
            return self.answer(200, {"Content-Type": "text/plain; charset=utf-8"}, "[" + user + "] " + text)
        self.answer(400, {"Content-Type": "text/plain"}, "unknown event")

    def answer(self, status, headers={}, body=""):
        data = body.encode("utf-8")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if data:
            self.wfile.write(data)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
