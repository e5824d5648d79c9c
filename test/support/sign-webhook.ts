import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A webhook as a sink gets it. */
export type SignedWebhook = { id: string; body: string; headers: Record<string, string> };

/**
 * Signs a webhook by the text of the specification alone, apart from the code that sends webhooks.
 * @param secrets `whsec_…` for `v1`, or the private key of `v1a`; each adds a signature
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export function signWebhook(
  secrets: readonly (string | KeyObject)[],
  { id, body, at = new Date() }: { id: string; body: string; at?: Date },
): SignedWebhook {
  const seconds = String(Math.floor(at.getTime() / 1_000));
  const content = Buffer.from(`${id}.${seconds}.${body}`);
  const signatures = secrets.map((secret) => {
    if (typeof secret !== "string") return `v1a,${sign(null, content, secret).toString("base64")}`;
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
  });
  const headers = {
    "content-type": "application/cloudevents+json",
    "webhook-id": id,
    "webhook-timestamp": seconds,
    "webhook-signature": signatures.join(" "),
  };
  return { id, body, headers };
}

/** A key pair of `v1a`; its public key as the answer to `POST /subscriptions` has it. */
export function newKeyPair(): { privateKey: KeyObject; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { privateKey, publicKey: `whpk_${Buffer.from(x, "base64url").toString("base64")}` };
}
