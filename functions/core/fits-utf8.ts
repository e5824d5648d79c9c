/** Tells whether a text has at most `maxBytes` bytes of UTF-8; counts only a text whose length leaves it open. */
export function fitsUtf8(text: string, maxBytes: number): boolean {
  if (text.length * UTF8_MAX_BYTES <= maxBytes) return true;
  return text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes;
}

/** Bytes of one UTF-16 code unit, at most; a character of four bytes has two units. */
const UTF8_MAX_BYTES = 3;
