/**
 * Text that SQS accepts: any Unicode but control characters other than tab, line feed and carriage return, and the
 * noncharacters U+FFFE and U+FFFF.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (MessageBody)
 */

/** `JSON.stringify` for a message body: it leaves U+FFFE and U+FFFF raw, so they are written as escapes. */
export function stringifyForQueue(value: unknown): string {
  return escapeForSqs(JSON.stringify(value));
}

/** JSON text as a message body: in valid JSON the characters that SQS refuses are in strings alone, where an escape means the same. */
export function escapeForSqs(json: string): string {
  return NONCHARACTERS.test(json) ? json.replaceAll("\uFFFE", "\\ufffe").replaceAll("\uFFFF", "\\uffff") : json;
}

const NONCHARACTERS = /[\uFFFE\uFFFF]/;

/** Any text as one that SQS accepts, with U+FFFD in place of what it refuses. */
export function replaceForSqs(text: string): string {
  return text.toWellFormed().replaceAll(REFUSED, "\uFFFD");
}

const REFUSED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
