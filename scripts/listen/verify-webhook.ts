import { createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";

/** The keys of a subscription by which its webhooks are verified. */
export type WebhookKeys = { secrets: readonly Buffer[]; publicKeys: readonly KeyObject[] };

/** `unchecked`: there was no key to verify with. */
export type Verdict = { verdict: "verified" | "refused" | "unchecked"; why?: string };

/** Standard Webhooks leaves the tolerance to libraries; all of them take five minutes. */
const TOLERANCE_SECONDS = 300;

/** 24 to 64 bytes, as Standard Webhooks asks. */
const SECRET_BYTES = { least: 24, most: 64 };
const PUBLIC_KEY_BYTES = 32;

/** Reads a secret `whsec_…`. @throws Error that says what a secret is, and does not have its text */
export function readSecret(text: string): Buffer {
  const bytes = readBase64(text.trim(), "whsec_");
  if (bytes !== undefined && bytes.length >= SECRET_BYTES.least && bytes.length <= SECRET_BYTES.most) return bytes;
  throw new Error(
    `The secret is whsec_ and the base64 of ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes, as \`npm run subscriptions -- create\` and \`-- rotate\` print it.`,
  );
}

/** Reads a public key `whpk_…`. @throws Error that says what it is */
export function readPublicKey(text: string): KeyObject {
  const bytes = readBase64(text.trim(), "whpk_");
  if (bytes?.length !== PUBLIC_KEY_BYTES)
    throw new Error(`--public-key takes whpk_ and the base64 of ${PUBLIC_KEY_BYTES} bytes, not ${text}.`);
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url") }, format: "jwk" });
}

function readBase64(text: string, prefix: string): Buffer | undefined {
  const base64 = text.startsWith(prefix) ? text.slice(prefix.length) : "";
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, "base64") : undefined;
}

/**
 * Verifies the signatures of a webhook. With keys of both kinds it needs a right signature of each: a receiver may know
 * either.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#verifying-webhook-authenticity
 */
export function verifyWebhook(
  { secrets, publicKeys }: WebhookKeys,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Buffer,
  now: number,
): Verdict {
  if (secrets.length + publicKeys.length === 0) return { verdict: "unchecked" };
  const [id, at, signatures] = NAMES.map((name) => String(headers[name] ?? ""));
  const missing = NAMES.filter((name) => (headers[name] ?? "") === "");
  if (missing.length > 0) return refused(`without ${missing.join(", ")}`);
  if (!/^\d{1,12}$/.test(at ?? "")) return refused("webhook-timestamp is no number of seconds");
  const age = Math.round(now / 1_000) - Number(at);
  if (Math.abs(age) > TOLERANCE_SECONDS)
    return refused(age > 0 ? `signed ${age} s ago` : `signed ${-age} s from now; is the clock right?`);

  const content = Buffer.concat([Buffer.from(`${id}.${at}.`), body]);
  const given = (version: string) =>
    (signatures ?? "")
      .split(" ")
      .filter((each) => each.startsWith(`${version},`))
      .map((each) => Buffer.from(each.slice(version.length + 1), "base64"));
  const isRight = {
    v1: secrets.some((secret) => given("v1").some((each) => isEqual(each, hmac(secret, content)))),
    v1a: publicKeys.some((key) => given("v1a").some((each) => verify(null, content, key, each))),
  };
  const wrong = [secrets.length > 0 && !isRight.v1 && "v1", publicKeys.length > 0 && !isRight.v1a && "v1a"].filter(
    (version) => version !== false,
  );
  return wrong.length === 0 ? { verdict: "verified" } : refused(`no right signature ${wrong.join(" and none ")}`);
}

const NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;

const refused = (why: string): Verdict => ({ verdict: "refused", why });

const hmac = (secret: Buffer, content: Buffer) => createHmac("sha256", secret).update(content).digest();

const isEqual = (one: Buffer, two: Buffer) => one.length === two.length && timingSafeEqual(one, two);
