import { isObject } from "../is-object.ts";
import { type Answer, hasHeader } from "./answer.ts";

/** Headers that API Gateway returns as `x-amzn-Remapped-…`, because it sets or forbids them itself. */
const REMAPPED_HEADERS = new Set(["connection", "content-length", "date", "server", "www-authenticate"]);
const KNOWN_MEMBERS = new Set(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"]);

/**
 * The HTTP response in a handler's result, or undefined for a malformed one (502 on API Gateway: an unknown member, a
 * body that is no string, a header value that is neither string nor boolean).
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
 *
 * Stricter than AWS, which defaults a missing `statusCode` to 200 and parses one that is a string.
 *
 * @param decodesBase64 whether the API answers this client in binary
 */
export function parseProxyResponse(payload: string, decodesBase64: boolean): Answer | undefined {
  const result = objectOf(payload);
  if (result === undefined || Object.keys(result).some((name) => !KNOWN_MEMBERS.has(name))) return undefined;
  const { statusCode, body = null, isBase64Encoded = false } = result;
  if (typeof statusCode !== "number" || !Number.isInteger(statusCode) || statusCode < 200 || statusCode > 599)
    return undefined;
  if ((body !== null && typeof body !== "string") || typeof isBase64Encoded !== "boolean") return undefined;
  const headers = mergeHeaders(result.headers ?? {}, result.multiValueHeaders ?? {});
  if (headers === undefined) return undefined;
  if (!hasHeader(headers, "content-type")) headers.push(["Content-Type", "application/json"]);
  const bytes = isBase64Encoded && decodesBase64 && body !== null ? Buffer.from(body, "base64") : (body ?? "");
  return { status: statusCode, headers, body: bytes };
}

function objectOf(payload: string): Record<string, unknown> | undefined {
  const result: unknown = JSON.parse(payload);
  return isObject(result) ? result : undefined;
}

/** Both kinds of headers in one list; a pair that is in both counts once. */
function mergeHeaders(single: unknown, multiple: unknown): Answer["headers"] | undefined {
  if (!isObject(single) || !isObject(multiple)) return undefined;
  const merged: Answer["headers"] = [];
  for (const [name, values] of Object.entries(multiple)) {
    if (!Array.isArray(values)) return undefined;
    for (const value of values) if (!addHeader(merged, name, value)) return undefined;
  }
  for (const [name, value] of Object.entries(single)) {
    const repeated = merged.some(([header, text]) => header.toLowerCase() === name.toLowerCase() && text === value);
    if (!repeated && !addHeader(merged, name, value)) return undefined;
  }
  return merged;
}

function addHeader(headers: Answer["headers"], name: string, value: unknown): boolean {
  if (typeof value !== "string" && typeof value !== "boolean") return false;
  const lower = name.toLowerCase();
  if (lower !== "transfer-encoding")
    headers.push([REMAPPED_HEADERS.has(lower) ? `x-amzn-Remapped-${name}` : name, String(value)]);
  return true;
}
