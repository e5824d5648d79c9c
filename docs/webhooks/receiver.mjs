// Receives the webhooks of a subscription: WEBHOOK_SECRET=whsec_… node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.WEBHOOK_SECRET.replace("whsec_", ""), "base64");

function isGenuine(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures = "" } = headers;
  if (!/^\d+$/.test(at) || Math.abs(Date.now() / 1_000 - Number(at)) > 300) return false;
  const mac = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${mac}`);
  const given = signatures.split(" ").map((text) => Buffer.from(text));
  return given.some((each) => each.length === expected.length && timingSafeEqual(each, expected));
}

/** The ids of what was handled; keep them where a crash does not lose them, for example in a table with a unique key. */
const handled = new Set();

const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const id = request.headers["webhook-id"];
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  if (!handled.has(id)) console.log(id, body.toString()); // Your work. Where it fails, answer 500: the webhook comes again.
  handled.add(id);
  return response.writeHead(204).end();
});
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
