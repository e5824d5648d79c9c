/**
 * Splits a migration into its statements, because the Data API takes one per call. Semicolons inside quotes, dollar
 * quotes and comments do not split. Comments in front of a statement stay with it.
 * @throws Error for a quote or comment that does not end
 * @see https://www.postgresql.org/docs/17/sql-syntax-lexical.html
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let position = 0;
  while (position < sql.length) {
    const token = TOKEN.exec(sql.slice(position));
    if (token === null) break;
    const [text] = token;
    position += token.index + text.length;
    if (text === ";") {
      statements.push(sql.slice(start, position - 1).trim());
      start = position;
    } else {
      position = endOf(text, sql, position);
    }
  }
  return [...statements, sql.slice(start).trim()].filter((statement) => statement.replace(COMMENTS, "").trim() !== "");
}

/** What opens a quote or comment, or ends a statement. */
const TOKEN = /;|'|"|--|\/\*|\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$/;
const COMMENTS = /--[^\n]*|\/\*[^]*?\*\//g;

/** The position behind the quote or comment that `opener` began. A doubled quote simply begins the next one. */
function endOf(opener: string, sql: string, position: number): number {
  const closer = opener === "--" ? "\n" : opener === "/*" ? "*/" : opener;
  const end = sql.indexOf(closer, position);
  if (end === -1 && opener === "--") return sql.length;
  if (end === -1) throw new Error(`The SQL has ${opener} without an end: ${sql.slice(position, position + 40)}`);
  return end + closer.length;
}
