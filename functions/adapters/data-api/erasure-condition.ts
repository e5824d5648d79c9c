import type { ErasureHoldFilter } from "../../core/erasure-job.ts";
import { parseFilter } from "../../core/filter/filter.ts";
import { isBoundSql } from "../../core/filter/is-bound-sql.ts";
import { toSql } from "../../core/filter/to-sql.ts";
import { parseLossless } from "../../core/lossless-json.ts";

/** The conditions of an erasure over the row `e`: every text of a user is an item of `texts`, which a condition has by its number. */
export type ErasureConditions = {
  /** Null for ids, which are in a table. */
  condition: string | null;
  /** The place of the first hold that has the event among `holdIds`, as SQL. */
  held: string;
  texts: string;
  holdIds: string;
};

/** @throws TypeError for a condition with text that is not bound, which the compiler of filters never writes */
export function erasureConditions(
  selection: { subject: string } | { filter: string } | undefined,
  holds: readonly ErasureHoldFilter[],
): ErasureConditions {
  const texts: string[] = [];
  const condition =
    selection === undefined
      ? null
      : "subject" in selection
        ? `e.subject = ($1)[${texts.push(selection.subject)}]`
        : compile(selection.filter, texts);
  const cases = holds.map(({ filter }, index) => {
    const isHeld = filter === undefined ? "true" : `(${compile(filter, texts)}) is true`;
    return `when ${isHeld} then ($2)[${index + 1}]`;
  });
  return {
    condition,
    held: cases.length === 0 ? "cast(null as text)" : `case ${cases.join(" ")} end`,
    texts: JSON.stringify(texts),
    holdIds: JSON.stringify(holds.map(({ id }) => id)),
  };
}

function compile(filter: string, texts: string[]): string {
  const condition = toSql(parseFilter(parseLossless(filter).lossless), texts);
  if (!isBoundSql(condition)) throw new TypeError("The condition of an erasure or hold has text that is not bound.");
  return condition;
}
