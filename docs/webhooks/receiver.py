# Receives the webhooks of a subscription: WEBHOOK_SECRET=whsec_… python3 receiver.py
import base64, hmac, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))


def is_genuine(headers, body):
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > 300:
        return False
    mac = base64.b64encode(hmac.digest(KEY, f"{id}.{at}.".encode() + body, "sha256"))
    given = headers.get("webhook-signature", "").encode().split()
    return any([hmac.compare_digest(each, b"v1," + mac) for each in given])


# The ids of what was handled; keep them where a crash does not lose them, for example in a table with a unique key.
handled = set()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        id = self.headers.get("webhook-id")
        genuine = is_genuine(self.headers, body)
        if genuine and id not in handled:
            print(id, body.decode(), flush=True)  # Your work. Where it fails, answer 500: the webhook comes again.
            handled.add(id)
        self.send_response(204 if genuine else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 8080))), Receiver).serve_forever()
