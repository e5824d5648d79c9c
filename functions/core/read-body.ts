import { en } from "zod/locales";
import * as z from "zod/mini";
import { RequestError } from "./errors.ts";
import { parseJson } from "./parse-json.ts";

/** Members that are wrong and are named; the others come to light with the next request. */
const MAX_FAULTS = 5;
const MAX_NAME_CHARACTERS = 64;

/**
 * Reads a body of JSON by a strict schema.
 * @throws RequestError `malformed_body` that names the members which are unknown or wrong, `unsupported_media_type`,
 * `body_too_large`
 */
export function readBody<Schema extends z.ZodMiniType>(
  schema: Schema,
  { headers, body }: { headers: Record<string, string | undefined>; body: Uint8Array },
  maxBytes: number,
): z.output<Schema> {
  if (!/^application\/json\s*(?:;|$)/i.test(headers["content-type"] ?? "")) {
    throw new RequestError("unsupported_media_type", "Send the body as JSON, with `Content-Type: application/json`.");
  }
  if (body.length > maxBytes) {
    throw new RequestError("body_too_large", `The body has ${body.length} bytes; the limit is ${maxBytes}.`);
  }
  const parsed = schema.safeParse(parse(body), { error: en().localeError });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, MAX_FAULTS).map(describeFault);
  throw new RequestError("malformed_body", `The body is not valid: ${faults.join("; ")}.`);
}

function parse(body: Uint8Array): unknown {
  try {
    return parseJson(UTF8.decode(body));
  } catch (cause) {
    throw new RequestError("malformed_body", "The body is no JSON in UTF-8. Send one JSON object.", { cause });
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function describeFault(issue: z.core.$ZodIssue): string {
  const place = shorten(issue.path.join("."));
  if (issue.code === "unrecognized_keys") {
    const names = issue.keys.slice(0, MAX_FAULTS).map(shorten).join(", ");
    return `${place === "" ? "" : `${place}: `}unknown member ${names}`;
  }
  const message = (issue.code === "invalid_key" ? issue.issues[0]?.message : undefined) ?? issue.message;
  return place === "" ? message : `${place}: ${message}`;
}

const shorten = (name: string): string =>
  name.length > MAX_NAME_CHARACTERS ? `${name.slice(0, MAX_NAME_CHARACTERS)}…` : name;
