/** Longest text of a cursor: it travels in a URL, of which some proxies take no more than 2 KB. */
export const CURSOR_MAX_CHARACTERS = 512;

/** 128 bits of HMAC-SHA-256: nobody guesses one, and a request may try but one. */
export const CURSOR_MAC_BYTES = 16;

/** Bytes of the hash of a cursor's request: 96 bits, because two requests of one installation must not be taken for equal. */
export const CURSOR_BINDING_BYTES = 12;

/** The room for the position, as JSON in UTF-8: base64 takes four characters for three bytes. */
export const CURSOR_POSITION_MAX_BYTES =
  Math.floor((CURSOR_MAX_CHARACTERS * 3) / 4) - CURSOR_MAC_BYTES - CURSOR_BINDING_BYTES;
