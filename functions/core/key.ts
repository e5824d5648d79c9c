import { createHmac, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * The text of an API key: `sluice_`, then 12 characters of its id, 32 of its secret and 6 of a checksum, all base62. The
 * prefix and the checksum let a secret scanner recognize a key, and junk is refused without a look-up.
 * @see https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */

/** Published for secret scanners. A text that matches may still have a wrong checksum. */
export const KEY_PATTERN = "sluice_[0-9A-Za-z]{50}";

const PREFIX = "sluice_";
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 71 bits: two keys of one installation never have the same id by chance. */
const ID_CHARACTERS = 12;

/** 190.5 bits, which nobody can guess, so one HMAC protects the stored hash and no slow hash is needed. */
const SECRET_CHARACTERS = 32;

/** 62^6 is above 2^32, so every CRC-32 fits. */
const CHECKSUM_CHARACTERS = 6;

export const KEY_CHARACTERS = PREFIX.length + ID_CHARACTERS + SECRET_CHARACTERS + CHECKSUM_CHARACTERS;

/** Makes a new key. `randomBytes` is a source of unpredictable bytes, for example that of node:crypto. */
export function makeKey(randomBytes: (count: number) => Uint8Array): { id: string; text: string } {
  const text = makeSecretText(PREFIX, ID_CHARACTERS + SECRET_CHARACTERS, randomBytes);
  return { id: idOf(text), text };
}

/** Reads the id of a key; undefined for a text that is no key or has a wrong checksum. */
export function parseKey(text: string): { id: string } | undefined {
  return isSecretText(PREFIX, ID_CHARACTERS + SECRET_CHARACTERS, text) ? { id: idOf(text) } : undefined;
}

const idOf = (text: string): string => text.slice(PREFIX.length, PREFIX.length + ID_CHARACTERS);

/** Makes a text of a prefix, so many random characters and their checksum. */
export function makeSecretText(prefix: string, characters: number, randomBytes: (count: number) => Uint8Array): string {
  const random = randomText(characters, randomBytes);
  return `${prefix}${random}${checksum(random)}`;
}

/** Tells whether a text has the form of such a text, and the right checksum. */
export function isSecretText(prefix: string, characters: number, text: string): boolean {
  if (text.length !== prefix.length + characters + CHECKSUM_CHARACTERS || !text.startsWith(prefix)) return false;
  const rest = text.slice(prefix.length);
  if (!/^[0-9A-Za-z]+$/.test(rest)) return false;
  return checksum(rest.slice(0, characters)) === rest.slice(characters);
}

/** HMAC-SHA-256 of a key under the installation's secret, in hex: the only form in which a key is kept. */
export function hashKey(secret: Uint8Array, text: string): string {
  return createHmac("sha256", secret).update(text, "utf8").digest("hex");
}

/** Tells, in a time that does not depend on the hash, whether a key is the one of a record. */
export function hasHash(record: { hash: string }, secret: Uint8Array, text: string): boolean {
  const kept = Buffer.from(record.hash, "hex");
  const given = Buffer.from(hashKey(secret, text), "hex");
  // timingSafeEqual throws for other lengths, which only a damaged record has.
  return kept.length === given.length && timingSafeEqual(kept, given);
}

/** Draws characters of equal chance: a byte from 248 on is drawn again, because 256 is no multiple of 62. */
function randomText(characters: number, randomBytes: (count: number) => Uint8Array): string {
  const unbiased = 256 - (256 % DIGITS.length);
  let text = "";
  while (text.length < characters) {
    for (const byte of randomBytes(characters - text.length)) if (byte < unbiased) text += DIGITS[byte % DIGITS.length];
  }
  return text;
}

function checksum(random: string): string {
  let rest = crc32(random);
  let text = "";
  for (let place = 0; place < CHECKSUM_CHARACTERS; place++) {
    text = `${DIGITS[rest % DIGITS.length]}${text}`;
    rest = Math.floor(rest / DIGITS.length);
  }
  return text;
}
