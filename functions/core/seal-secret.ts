import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/** Seals texts, so that the database holds no secret that it could give away. */
export type Seals = {
  /** Seals a text for a subscription. @throws AccessError */
  seal(subscriptionId: string, text: string): Promise<string>;
  /** Opens it again. @throws SealError for a seal of another subscription or installation, or one that was changed; AccessError */
  open(subscriptionId: string, sealed: string): Promise<string>;
};

/** The seal is none that this installation made for this subscription. */
export class SealError extends Error {
  override readonly name = "SealError";
}

/**
 * Seals with AES-256-GCM: a version, then base64 of nonce, tag and ciphertext. The id of the subscription is authenticated
 * with it, so that a seal that was moved to another subscription does not open.
 * @param secret the installation's secret, under which keys are hashed as well. @throws AccessError
 * @param randomBytes a source of unpredictable bytes, for example that of node:crypto
 */
export function createSeals(secret: () => Promise<Uint8Array>, randomBytes: (count: number) => Uint8Array): Seals {
  const keyOf = createKeyMemory();
  return {
    async seal(subscriptionId, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", keyOf(await secret()), nonce);
      cipher.setAAD(Buffer.from(subscriptionId, "utf8"));
      const content = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return `${VERSION}${Buffer.concat([nonce, cipher.getAuthTag(), content]).toString("base64")}`;
    },
    async open(subscriptionId, sealed) {
      const key = keyOf(await secret());
      const bytes = Buffer.from(sealed.slice(VERSION.length), "base64");
      if (!sealed.startsWith(VERSION) || bytes.length < HEAD_BYTES) throw refused();
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(subscriptionId, "utf8"));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, HEAD_BYTES));
      try {
        return decipher.update(bytes.subarray(HEAD_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        throw refused();
      }
    },
  };
}

/** Names the form of the rest, so that another one can follow. */
const VERSION = "s1:";

/** NIST SP 800-38D section 8.2: a random nonce of 96 bits, for up to 2^32 seals under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** Derives the key of seals, so that no other use of the secret says anything about it. RFC 5869. */
function createKeyMemory(): (secret: Uint8Array) => Buffer {
  let known: { secret: Uint8Array; key: Buffer } | undefined;
  return (secret) => {
    if (known?.secret !== secret) {
      known = { secret, key: Buffer.from(hkdfSync("sha256", secret, "", "subscription-secrets", 32)) };
    }
    return known.key;
  };
}

function refused(): SealError {
  return new SealError(
    "The secret was not sealed by this installation for this subscription, or was changed. Rotate it.",
  );
}
