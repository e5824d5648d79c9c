import { KEY_PATTERN } from "./key.ts";
import { RESPONSE_KEPT_MAX_BYTES } from "./subscription-limits.ts";

const REDACTED = "[redacted]";

/** The shortest value that is taken for a secret: shorter ones, as `1`, occur everywhere. */
const SECRET_MIN_CHARACTERS = 4;

/**
 * The beginning of a sink's answer as it is kept and shown: without secrets that it may repeat, and with characters alone that
 * can be stored.
 * @param secrets texts that were sent to the sink and are nobody else's, for example the values of its headers
 */
export function redact(answer: string, secrets: readonly string[] = []): string {
  if (answer === "") return "";
  const texts = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const known = texts.filter((text) => text.length >= SECRET_MIN_CHARACTERS).toSorted((a, b) => b.length - a.length);
  let text = answer.toWellFormed();
  for (const secret of known) text = text.replaceAll(secret, REDACTED);
  for (const [pattern, replacement] of PATTERNS) text = text.replaceAll(pattern, replacement);
  return firstBytes(text.replaceAll(CONTROLS, "\uFFFD"), RESPONSE_KEPT_MAX_BYTES);
}

/** The beginning of a text that has so many bytes in UTF-8 at most, and no part of a character. */
function firstBytes(text: string, most: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  return text.slice(0, read);
}

/** All control characters but tab, line feed and carriage return, and the noncharacters U+FFFE and U+FFFF. */
const CONTROLS = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFFFE\uFFFF]/g;

/** Texts that are secrets by their form or by the name before them. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  /** Keys of Sluice, and of webhooks. */
  [new RegExp(KEY_PATTERN, "g"), REDACTED],
  [/wh(?:sec|sk)_[A-Za-z0-9+/_-]+=*/g, REDACTED],
  /** Tokens of others: JSON Web Tokens, keys of AWS, GitHub, Slack and Stripe. */
  [/\beyJ[\w-]{8,2000}\.[\w-]+(?:\.[\w-]*)?/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
  [/\b(?:gh[pousr]_|github_pat_|xox[abposr]-|sk_live_|sk_test_|rk_live_)[\w-]{8,}/g, REDACTED],
  /** RFC 9110 section 11.6.2: a scheme and its credentials. */
  [/\b(Bearer|Basic|Digest)\s+[\w.~+/=-]{4,}/gi, `$1 ${REDACTED}`],
  /** The user of a URL. */
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"'<>]{1,300}@/gi, `$1${REDACTED}@`],
  /** `"password": "…"`, `token=…`. */
  [
    /((?:passw(?:or)?d|passwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|authorization|cookie|session(?:id)?|signature|credentials?)\\?["']?\s{0,5}[:=]\s{0,5})("(?:[^"\\]|\\.){0,2000}"|\\"[^"\\]{0,2000}\\"|'[^']{0,2000}'|[^\s"'&,;<>}]{1,2000})/gi,
    `$1${REDACTED}`,
  ],
];
