const encoder = new TextEncoder();

/**
 * In place of Node's `Buffer` in what the page bundles of functions/core, which counts bytes by it. The bundler puts it there,
 * so the page has no global of that name.
 */
export const Buffer = { byteLength: (text: string): number => encoder.encode(text).length };
