/** Whether a text has at most so many bytes of UTF-8. Only one that may have more is counted. */
export function fitsUtf8(text: string, maxBytes: number): boolean {
  if (text.length * UTF8_MAX_BYTES <= maxBytes) return true;
  return text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes;
}

/** Of one UTF-16 code unit; a character of four bytes is two of them. */
export const UTF8_MAX_BYTES = 3;
