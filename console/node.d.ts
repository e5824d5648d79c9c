/** The part of Node that functions/core uses in the page: buffer.ts stands in for it. */
declare const Buffer: { byteLength(text: string): number };
