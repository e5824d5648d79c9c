import { createHash, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import {
  CURSOR_BINDING_BYTES,
  CURSOR_MAC_BYTES,
  CURSOR_MAX_CHARACTERS,
  CURSOR_POSITION_MAX_BYTES,
} from "./cursor-limits.ts";
import { RequestError } from "./errors.ts";

/** The request that a cursor goes on: of a cursor for another one the position would mean nothing. */
export type CursorBinding = {
  tenant: string;
  /** All that chooses and orders the events (filter, range, order, what the key may read), as JSON of a fixed member order. */
  request: unknown;
};

export type Cursors = {
  /** Writes a cursor. @throws RangeError for a position of more than CURSOR_POSITION_MAX_BYTES; AccessError */
  write(kind: CursorKind, binding: CursorBinding, position: unknown): Promise<string>;
  /**
   * Reads the position of a cursor, which is one that `write` was given.
   * @throws RequestError `bad_cursor` for a text that is no cursor of this installation, `cursor_mismatch` for a cursor of
   * another tenant, kind or request; AccessError
   */
  read(kind: CursorKind, binding: CursorBinding, text: string): Promise<unknown>;
};

type CursorKind = "feed" | "list" | "dead-letters" | "subscriptions" | "refusals";

/**
 * Makes and reads cursors: base64url of a MAC, the hash of the request, and the position as JSON. A cursor is signed, so
 * that a position is always one that the database has given: its values need no check, and no client can ask for others.
 * It is no secret, and not encrypted.
 * @param secret the installation's secret, under which keys are hashed as well. @throws AccessError
 */
export function createCursors(secret: () => Promise<Uint8Array>): Cursors {
  const keyOf = createKeyMemory();
  return {
    async write(kind, binding, position) {
      const json = Buffer.from(JSON.stringify(position), "utf8");
      if (json.length > CURSOR_POSITION_MAX_BYTES) {
        throw new RangeError(`A position has ${json.length} bytes; a cursor holds ${CURSOR_POSITION_MAX_BYTES}.`);
      }
      const content = Buffer.concat([hashOf(kind, binding), json]);
      return Buffer.concat([macOf(keyOf(await secret()), content), content]).toString("base64url");
    },
    async read(kind, binding, text) {
      const content = verified(text, keyOf(await secret()));
      if (!content.subarray(0, CURSOR_BINDING_BYTES).equals(hashOf(kind, binding))) throw mismatch();
      return JSON.parse(content.toString("utf8", CURSOR_BINDING_BYTES)) as unknown;
    },
  };
}

/** The content of a cursor whose MAC is right. */
function verified(text: string, key: Buffer): Buffer {
  if (text.length > CURSOR_MAX_CHARACTERS) throw bad();
  const bytes = Buffer.from(text, "base64url");
  // Node skips characters that are not of the alphabet, and the last one has bits that count for nothing.
  if (bytes.length <= CURSOR_MAC_BYTES + CURSOR_BINDING_BYTES || bytes.toString("base64url") !== text) throw bad();
  const content = bytes.subarray(CURSOR_MAC_BYTES);
  if (!timingSafeEqual(macOf(key, content), bytes.subarray(0, CURSOR_MAC_BYTES))) throw bad();
  return content;
}

function macOf(key: Buffer, content: Buffer): Buffer {
  return createHmac("sha256", key).update(content).digest().subarray(0, CURSOR_MAC_BYTES);
}

function hashOf(kind: CursorKind, { tenant, request }: CursorBinding): Buffer {
  const text = JSON.stringify([kind, tenant, request]);
  return createHash("sha256").update(text, "utf8").digest().subarray(0, CURSOR_BINDING_BYTES);
}

/** Derives the key of cursors, so that no cursor says anything about the hash of a key. RFC 5869. */
function createKeyMemory(): (secret: Uint8Array) => Buffer {
  let known: { secret: Uint8Array; key: Buffer } | undefined;
  return (secret) => {
    if (known?.secret !== secret) {
      known = { secret, key: Buffer.from(hkdfSync("sha256", secret, "", "sluice cursors", 32)) };
    }
    return known.key;
  };
}

function bad(): RequestError {
  return new RequestError(
    "bad_cursor",
    "The cursor is none that this installation has written, or was changed on its way. Send it as it came, or begin without one.",
  );
}

function mismatch(): RequestError {
  return new RequestError(
    "cursor_mismatch",
    "The cursor was written for another tenant, route, filter, range or order, or for a key that may read other events. Send it with the request that it came from, or begin without one.",
  );
}
