import { invalid } from "./errors.ts";

export type ScannedSql = {
  /** The SQL with `$1`, `$2` … in place of the named parameters. */
  text: string;
  /** The parameter names in the order of their numbers. */
  names: string[];
};

/**
 * Replaces `:name` as the Data API does: names are `[A-Za-z0-9_]+`; `::`, quoted text and comments are left alone.
 *
 * AWS's scanner and PostgreSQL disagree about three things: dollar quotes (`$$a :b$$` silently becomes `a $1`),
 * a backslash before a quote (later parameters are not bound) and comments inside comments. Where they would find
 * different parameters, the statement is refused instead of corrupted. Array slices (`a[1:2]`) name a
 * parameter `2` in both readings, which is then missing.
 *
 * @throws DataApiError ValidationException, also for positional parameters
 * Behaviour as captured from Aurora by https://github.com/tmokmss/aurora-data-api-proxy, COMPATIBILITY.md.
 */
export function scanSql(sql: string): ScannedSql {
  const placeholders = findPlaceholders(sql, DATA_API);
  const difference = firstDifference(placeholders, findPlaceholders(sql, POSTGRES));
  if (difference !== undefined) {
    throw invalid(
      `The Data API and PostgreSQL read this SQL differently at ${difference.token}, offset ${difference.start}: a ` +
        "parameter to one of them, text to the other. Avoid dollar quotes, backslashes before quotes and nested " +
        "comments around words with a colon.",
    );
  }
  const positional = placeholders.find(({ token }) => token.startsWith("$"));
  if (positional !== undefined) throw invalid(`Named parameter syntax is invalid, input: ${positional.token}`);

  const names = [...new Set(placeholders.map(({ token }) => token.slice(1)))];
  let text = "";
  let end = 0;
  for (const { token, start } of placeholders) {
    text += `${sql.slice(end, start)}$${names.indexOf(token.slice(1)) + 1}`;
    end = start + token.length;
  }
  return { text: text + sql.slice(end), names };
}

/** The statement's first words in lower case, comments and opening brackets skipped; empty for blank SQL. */
export function leadingWords(sql: string): string[] {
  const code = [...codeOf(sql, POSTGRES)].map(({ start, end }) => sql.slice(start, end)).join(" ");
  return code
    .replace(/^[\s(;]+/, "")
    .toLowerCase()
    .split(/[\s;(]+/, 4)
    .filter((word) => word !== "");
}

type Placeholder = { token: string; start: number };

function findPlaceholders(sql: string, reader: Reader): Placeholder[] {
  const found: Placeholder[] = [];
  for (const { start, end } of codeOf(sql, reader)) {
    for (const match of sql.slice(start, end).matchAll(PLACEHOLDER)) {
      if (match[1] !== undefined) found.push({ token: match[1], start: start + match.index });
    }
  }
  return found;
}

function firstDifference(left: Placeholder[], right: Placeholder[]): Placeholder | undefined {
  const key = ({ token, start }: Placeholder) => `${start} ${token}`;
  const only = (these: Placeholder[], those: Placeholder[]) => {
    const known = new Set(those.map(key));
    return these.filter((each) => !known.has(key(each)));
  };
  return [...only(left, right), ...only(right, left)].toSorted((a, b) => a.start - b.start)[0];
}

/** The rules by which a parser separates code from quoted text and comments. */
type Reader = { dollarQuotes: boolean; backslashEscapes: "always" | "in E''"; nestedComments: boolean };

const DATA_API: Reader = { dollarQuotes: false, backslashEscapes: "always", nestedComments: false };
const POSTGRES: Reader = { dollarQuotes: true, backslashEscapes: "in E''", nestedComments: true };

/** The stretches of SQL outside quotes and comments. */
function* codeOf(sql: string, reader: Reader): Generator<{ start: number; end: number }> {
  let start = 0;
  OPENING.lastIndex = 0;
  for (let opening = OPENING.exec(sql); opening !== null; opening = OPENING.exec(sql)) {
    const end = endOfQuote(sql, opening[0], opening.index, reader);
    if (end === undefined) continue;
    yield { start, end: opening.index };
    start = end;
    OPENING.lastIndex = end;
  }
  yield { start, end: sql.length };
}

/** The end of the quoted text or comment that opens here, or undefined if this reader sees none. */
function endOfQuote(sql: string, opening: string, index: number, reader: Reader): number | undefined {
  if (opening === "--") return endOf(sql, "\n", index);
  if (opening === "/*") return endOfComment(sql, index, reader);
  if (opening === "'") return endOfString(sql, index, reader);
  if (opening === '"') return endOf(sql, '"', index + 1);
  if (!reader.dollarQuotes || IDENTIFIER_END.test(sql.slice(0, index).slice(-1))) return undefined;
  return endOf(sql, opening, index + opening.length);
}

function endOf(sql: string, closing: string, from: number): number {
  const index = sql.indexOf(closing, from);
  return index === -1 ? sql.length : index + closing.length;
}

/** A doubled quote needs no rule of its own: it ends one string and opens the next. */
function endOfString(sql: string, index: number, reader: Reader): number {
  const escapes =
    reader.backslashEscapes === "always" || /(^|[^\w$])[eE]$/.test(sql.slice(Math.max(0, index - 2), index));
  let end = index + 1;
  while (end < sql.length && sql[end] !== "'") end += escapes && sql[end] === "\\" ? 2 : 1;
  return Math.min(end + 1, sql.length);
}

function endOfComment(sql: string, index: number, reader: Reader): number {
  if (!reader.nestedComments) return endOf(sql, "*/", index + 2);
  let depth = 0;
  for (const mark of sql.slice(index).matchAll(/\/\*|\*\//g)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return index + mark.index + 2;
  }
  return sql.length;
}

const OPENING = /--|\/\*|'|"|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/g;
const IDENTIFIER_END = /[\w$\u0080-\uffff]/;
/** Casts and identifiers are consumed first, so that only group 1 is a placeholder. */
const PLACEHOLDER = /::|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|(:[A-Za-z0-9_]+|\$\d+)/g;
