import { createHash } from "node:crypto";

/** The id of a dead letter that names none itself: of its message and its index there, so that two copies have one. */
export function deadLetterIdOf(messageId: string, messageIndex: number): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([messageId, messageIndex]))
    .digest("hex");
  return `dl_${hash.slice(0, ID_HEX_DIGITS)}`;
}

/** 128 bits. */
const ID_HEX_DIGITS = 32;
