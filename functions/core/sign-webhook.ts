import { createHmac, createPrivateKey, createPublicKey, createSecretKey, type KeyObject, sign } from "node:crypto";
import { SECRET_BYTES } from "./subscription-limits.ts";

/**
 * Signatures of webhooks: `v1` is HMAC-SHA-256 under a secret that the receiver has too, `v1a` is Ed25519, for which the
 * receiver has the public key alone. Both sign `id.timestamp.body`, byte for byte.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */

const SECRET_PREFIX = "whsec_";
const PRIVATE_PREFIX = "whsk_";
const PUBLIC_PREFIX = "whpk_";

/** The keys of one secret of a subscription. Both are made once: an HMAC with plain bytes takes three times as long. */
export type WebhookKeys = { secret: KeyObject; privateKey: KeyObject };

/** The content that a webhook's signatures are about. `timestamp`: seconds since the epoch, at which it is sent. */
export type SignedContent = { id: string; timestamp: number; body: string | Uint8Array };

/**
 * Makes a new secret: `secret` and `publicKey` are shown to its owner once, `text` is kept, sealed (core/seal-secret.ts).
 * `randomBytes` is a source of unpredictable bytes, for example that of node:crypto.
 */
export function makeWebhookSecret(randomBytes: (count: number) => Uint8Array): {
  secret: string;
  publicKey: string;
  text: string;
} {
  const secret = `${SECRET_PREFIX}${toBase64(randomBytes(SECRET_BYTES))}`;
  const text = `${secret} ${PRIVATE_PREFIX}${toBase64(randomBytes(SEED_BYTES))}`;
  return { secret, publicKey: publicKeyOf(text), text };
}

/** Reads the text of a secret. @throws RangeError for any other text */
export function readWebhookKeys(text: string): WebhookKeys {
  const found = TEXT.exec(text);
  const secret = Buffer.from(found?.[1] ?? "", "base64");
  const seed = Buffer.from(found?.[2] ?? "", "base64");
  if (secret.length < SECRET_MIN_BYTES || seed.length !== SEED_BYTES)
    throw new RangeError("The text is no webhook secret.");
  const key = Buffer.concat([PKCS8_ED25519, seed]);
  return { secret: createSecretKey(secret), privateKey: createPrivateKey({ key, format: "der", type: "pkcs8" }) };
}

/** The public key of a secret's text, as Standard Webhooks writes it. @throws RangeError for a text that is no secret */
export function publicKeyOf(text: string): string {
  const key = createPublicKey(readWebhookKeys(text).privateKey).export({ format: "der", type: "spki" });
  return `${PUBLIC_PREFIX}${toBase64(key.subarray(-PUBLIC_BYTES))}`;
}

/**
 * The value of `webhook-signature`: a `v1` of each secret, then a `v1a` of each, so that a receiver with any of them verifies it.
 * @throws RangeError for an id with a point, which would let one text be read as two
 */
export function signWebhook(keys: readonly WebhookKeys[], { id, timestamp, body }: SignedContent): string {
  if (id.includes(".")) throw new RangeError("An id with a point cannot be signed.");
  const head = `${id}.${timestamp}.`;
  const signed = typeof body === "string" ? Buffer.from(head + body) : Buffer.concat([Buffer.from(head), body]);
  const hmacs = keys.map(({ secret }) => `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`);
  const signatures = keys.map(({ privateKey }) => `v1a,${sign(null, signed, privateKey).toString("base64")}`);
  return [...hmacs, ...signatures].join(" ");
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

const TEXT = new RegExp(`^${SECRET_PREFIX}([A-Za-z0-9+/]+=*) ${PRIVATE_PREFIX}([A-Za-z0-9+/]+=*)$`);

/** Standard Webhooks: 24 to 64 bytes. */
const SECRET_MIN_BYTES = 24;
const SEED_BYTES = 32;
const PUBLIC_BYTES = 32;

/** The head of a private Ed25519 key in PKCS #8, which its seed follows. RFC 8410 section 7. */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
