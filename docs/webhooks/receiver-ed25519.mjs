// The same with the public key, which may be known to everybody: WEBHOOK_PUBLIC_KEY=whpk_… node receiver-ed25519.mjs
import { createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";

const x = Buffer.from(process.env.WEBHOOK_PUBLIC_KEY.replace("whpk_", ""), "base64").toString("base64url");
const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });

function isGenuine(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures = "" } = headers;
  if (!/^\d+$/.test(at) || Math.abs(Date.now() / 1_000 - Number(at)) > 300) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${at}.`), body]);
  const given = signatures.split(" ").filter((text) => text.startsWith("v1a,"));
  return given.some((text) => verify(null, signed, key, Buffer.from(text.slice("v1a,".length), "base64")));
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
