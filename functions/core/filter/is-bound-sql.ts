/**
 * Tells whether a text is made of nothing but the words that `toSql` writes, with balanced brackets: no text of a user can
 * be in it. It does not check that the SQL is valid. A last guard before the text becomes part of a statement.
 */
export function isBoundSql(sql: string): boolean {
  let depth = 0;
  let end = 0;
  for (const match of sql.matchAll(TOKEN)) {
    if (match.index !== end) return false;
    const [token] = match;
    end += token.length;
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0 && end === sql.length && sql.trim() !== "";
}

const COLUMNS = "e\\.(?:id|source|type|subject|time_sent|time|dataschema|datacontenttype|extensions|data)";
const ALIASES = String.raw`(?:[os]\.v|[tp]\.m|[os] \(v\)|[tp] \(m\))`;
const WORDS = [
  "select",
  "from",
  "where",
  "as",
  "exists",
  "cross",
  "join",
  "lateral",
  "values",
  "and",
  "or",
  "not",
  "is",
  "true",
  "false",
  "case",
  "when",
  "then",
  "else",
  "end",
  "[012]",
  "cast",
  "jsonb",
  "numeric",
  "inet",
  "timestamptz",
  'collate "C"',
  "like",
  String.raw`count\(\*\)`,
  "bool_or",
  "min",
  "max",
  "coalesce",
  "starts_with",
  "filter_scalars",
  "filter_objects",
  "filter_text",
  "filter_number",
  "filter_address",
  "filter_fold_case",
  "filter_ends_with",
  "filter_extension",
  "filter_time",
].join("|");
const SIGNS = String.raw`->|<<=|<=|>=|=|<|>|\(|\)|,| (?! )`;

/** A parameter; a column or word, which ends there; or a sign. One space at most stands between two of them. */
const TOKEN = new RegExp(`\\(\\$1\\)\\[[1-9]\\d{0,4}\\]|(?:${COLUMNS}|${ALIASES}|${WORDS})(?![\\w.$"[])|${SIGNS}`, "g");
