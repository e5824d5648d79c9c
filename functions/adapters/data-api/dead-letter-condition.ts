import { parseFilter } from "../../core/filter/filter.ts";
import { isBoundSql } from "../../core/filter/is-bound-sql.ts";
import { toSql } from "../../core/filter/to-sql.ts";
import { parseLossless } from "../../core/lossless-json.ts";

/**
 * The filter of a job, a JSON text, as two parameters of a statement. Every text of a user is a value, and the condition only
 * has its number: a condition with anything else in it never reaches the database, which would refuse it as well.
 */
export function deadLetterCondition(filter: string | undefined): { condition: string | null; condition_texts: string } {
  const texts: string[] = [];
  const condition = filter === undefined ? null : toSql(parseFilter(parseLossless(filter).lossless), texts);
  if (condition !== null && !isBoundSql(condition)) {
    throw new TypeError("The condition of a filter has text that is not bound.");
  }
  return { condition, condition_texts: JSON.stringify(texts) };
}
