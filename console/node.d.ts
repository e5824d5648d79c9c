/** What the page bundles of functions/core uses of Node: buffer.ts stands in for it. */
declare const Buffer: { byteLength(text: string): number };
