/**
 * Splits a migration into its statements, because the Data API takes one per call. Semicolons inside quotes, dollar
 * quotes and comments do not split. Comments in front of a statement stay with it.
 * @throws Error for a quote or comment that does not end; for a backslash in quotes, which the Data API's scanner cannot
 *   read; and for a function body with `begin atomic`, whose semicolons look like any other
 * @see https://www.postgresql.org/docs/17/sql-syntax-lexical.html
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let position = 0;
  for (TOKEN.lastIndex = 0; ; TOKEN.lastIndex = position) {
    const token = TOKEN.exec(sql);
    if (token === null) break;
    const [text] = token;
    position = token.index + text.length;
    if (text === ";") {
      statements.push(sql.slice(start, position - 1).trim());
      start = position;
    } else if (/^begin/i.test(text)) {
      throw new Error("The SQL has a function body with begin atomic. Write it as a string: as $body$ ... $body$.");
    } else {
      position = endOf(text, sql, position);
    }
  }
  return [...statements, sql.slice(start).trim()].filter((statement) => statement.replace(COMMENTS, "").trim() !== "");
}

/** The start of a quote or comment, or the end of a statement. A dollar inside an identifier starts no quote. */
const TOKEN = /;|'|"|--|\/\*|(?<![A-Za-z0-9_$])\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$|\bbegin\s+atomic\b/gi;
const COMMENTS = /--[^\n]*|\/\*[^]*?\*\//g;

/** Returns the position after the quote or comment that `opener` starts. A doubled quote starts a second quote. */
function endOf(opener: string, sql: string, position: number): number {
  if (opener === "/*") return endOfComment(sql, position);
  const end = sql.indexOf(opener === "--" ? "\n" : opener, position);
  if (end === -1 && opener === "--") return sql.length;
  if (end === -1) throw unfinished(opener, sql, position);
  if (opener === "'" && sql.slice(position, end).includes("\\")) {
    throw new Error(`The SQL has a backslash in quotes: '${sql.slice(position, end)}'. Write it with chr(92).`);
  }
  return end + (opener === "--" ? 1 : opener.length);
}

/** Returns the position after a block comment. In PostgreSQL these nest. */
function endOfComment(sql: string, position: number): number {
  let depth = 1;
  for (const match of sql.slice(position).matchAll(/\/\*|\*\//g)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return position + match.index + 2;
  }
  throw unfinished("/*", sql, position);
}

function unfinished(opener: string, sql: string, position: number): Error {
  return new Error(`The SQL has ${opener} without an end: ${sql.slice(position, position + 40)}`);
}
