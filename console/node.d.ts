/** The part of Node that files of functions/core use in the page: buffer.ts stands in for it. */
declare const Buffer: { byteLength(text: string): number };
