/** The length of a group's name: the beginning of a message says what is wrong. */
export const MESSAGE_GROUP_MAX_CHARACTERS = 200;

/**
 * The message of an error without what differs from event to event, so that messages of one cause are equal: quoted texts,
 * UUIDs and other ids in hex, times, and numbers become `?`, and white space one space.
 */
export function messageGroup(message: string): string {
  return VARYING.reduce((text, pattern) => text.replace(pattern, "?"), message.slice(0, READ_MAX_CHARACTERS))
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, MESSAGE_GROUP_MAX_CHARACTERS)
    .toWellFormed();
}

/** More than any message says before it says what is wrong. */
const READ_MAX_CHARACTERS = 4_000;

/** In this order: a quoted text may hold all the others, and an id holds numbers. */
const VARYING = [
  // An apostrophe within a word is no quotation.
  /"[^"]*"|(?<![\p{L}\d])'[^']*'(?![\p{L}\d])/gu,
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi,
  /\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?/g,
  /[-+]?\d+\.\d+(?:e[-+]?\d+)?|[-+]?\d+e[-+]\d+|\b0x[0-9a-f]+\b/gi,
  // With a digit at least: "added" is a word.
  /[-+]?\b(?=[a-f]*\d)[0-9a-f]{6,}\b/gi,
  /[-+]?\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?/gi,
];
