/** A content type, compared as RFC 9110 section 8.3.1 says: type and parameter names without case. */
export type MediaType = { essence: string; charset: string | undefined };

/** Undefined for a missing header or one that is no media type. */
export function parseMediaType(header: string | undefined): MediaType | undefined {
  const [essence = "", ...parameters] = (header ?? "").split(";").map((part) => part.trim());
  if (!/^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+$/.test(essence)) return undefined;
  const charset = parameters
    .map((parameter) => /^charset\s*=\s*"?([^"]*)"?$/i.exec(parameter)?.[1]?.toLowerCase())
    .find((value) => value !== undefined);
  return { essence: essence.toLowerCase(), charset };
}

export function isJson({ essence }: MediaType): boolean {
  return essence === "application/json" || essence === "text/json" || essence.endsWith("+json");
}

export function isText({ essence }: MediaType): boolean {
  return essence.startsWith("text/");
}
