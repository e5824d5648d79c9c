/** A content type; type and parameter names are compared without case (RFC 9110 section 8.3.1). */
export type MediaType = { essence: string; charset: string | undefined };

/** Returns undefined for a missing header and for one that is no media type. */
export function parseMediaType(header = ""): MediaType | undefined {
  const end = header.indexOf(";");
  const essence = header.slice(0, end === -1 ? undefined : end).trim();
  if (!/^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+$/.test(essence)) return undefined;
  return { essence: essence.toLowerCase(), charset: end === -1 ? undefined : charsetOf(header.slice(end)) };
}

function charsetOf(text: string): string | undefined {
  const parameters = text.matchAll(/;\s*([^=;\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g);
  const charset = [...parameters].find(([, name]) => name?.toLowerCase() === "charset");
  return (charset?.[2] ?? charset?.[3])?.toLowerCase();
}

export function isJson({ essence }: MediaType): boolean {
  return essence === "application/json" || essence === "text/json" || essence.endsWith("+json");
}

export function isText({ essence }: MediaType): boolean {
  return essence.startsWith("text/");
}
