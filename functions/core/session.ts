import * as z from "zod/mini";
import { isSecretText, makeSecretText } from "./key.ts";

/**
 * Sessions of the operator's page, and the codes that begin them. A session is its key in a browser: it may do what the key
 * may, and ends with it. Neither text is ever kept, only its hash (core/key.ts).
 */

/** The cookie of a session. Browsers take one of this name from this host alone, and over TLS alone. */
export const SESSION_COOKIE = "__Host-sluice";

/** 256 bits: the hash alone finds the record, so nothing else may be guessed. */
const CHARACTERS = 43;

const PREFIXES = { code: "sluice_code_", session: "sluice_session_" } as const;

type Kind = keyof typeof PREFIXES;

/** Makes the text of a new code or session. `randomBytes` as of `makeKey`. */
export function makeToken(kind: Kind, randomBytes: (count: number) => Uint8Array): string {
  return makeSecretText(PREFIXES[kind], CHARACTERS, randomBytes);
}

/** Tells whether a text has the form and the checksum of a code or session; any other needs no look-up. */
export function isToken(kind: Kind, text: string): boolean {
  return isSecretText(PREFIXES[kind], CHARACTERS, text);
}

const kept = {
  /** The key for which it stands. */
  keyId: z.string(),
  /** RFC 3339, UTC, milliseconds. */
  expiresAt: z.iso.datetime(),
};

export const codeRecord = z.object({
  ...kept,
  /** The tenant of the key, in whose audit log the sign-in is. */
  keyTenant: z.string(),
});

export type CodeRecord = z.output<typeof codeRecord>;

export const sessionRecord = z.object(kept);

export type SessionRecord = z.output<typeof sessionRecord>;

/** Every function that answers requests has it. */
export type SessionReader = {
  /** Reads a session by its hash, as it is now. @throws AccessError when the table does not answer */
  session(hash: string): Promise<SessionRecord | undefined>;
};

/** All that the function `console` does with codes and sessions, by their hashes. Every call may throw an AccessError. */
export type SessionStore = {
  createCode(hash: string, record: CodeRecord): Promise<void>;
  /** Deletes a code and returns it; of several calls one alone gets it, whether or not it has expired. */
  takeCode(hash: string): Promise<CodeRecord | undefined>;
  createSession(hash: string, record: SessionRecord): Promise<void>;
  endSession(hash: string): Promise<void>;
};
