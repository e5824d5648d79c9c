import { createHash } from "node:crypto";

/** Hashes a JSON value. Equal values have equal fingerprints, in any order of their objects' members. */
export function fingerprint(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value, sorted))
    .digest("base64url")
    .slice(0, FINGERPRINT_CHARACTERS);
}

/** 96 bits, so that no two of a million bodies are equal by chance. */
const FINGERPRINT_CHARACTERS = 16;

function sorted(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
