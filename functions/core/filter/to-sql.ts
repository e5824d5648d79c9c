import { toAlternatives, type Node } from "./alternatives.ts";
import { attributeToSql } from "./attribute-to-sql.ts";
import type { Filter } from "./filter.ts";
import { leafToSql } from "./leaf-to-sql.ts";

/**
 * Compiles a filter to a condition on a row `e` of the table events. Where it is neither true nor false, it is null, which
 * counts as false. Texts, numbers and keys of the filter are appended to `parameters`, and stand in the SQL as `($1)[n]`,
 * so the statement is executed with one parameter of type text[]. The functions that it calls are in
 * functions/sql/0002_filters.sql. Equality of type, source, subject and id is plain, so that an index may serve it.
 */
export function toSql(filter: Filter, parameters: string[]): string {
  const bind = (text: string) => `($1)[${parameters.push(text)}]`;
  return filterToSql(filter, bind);
}

/** Appends a parameter, and returns the expression that stands for it. */
export type Bind = (text: string) => string;

function filterToSql(filter: Filter, bind: Bind): string {
  if ("exact" in filter) return attributesToSql("exact", filter.exact, bind);
  if ("prefix" in filter) return attributesToSql("prefix", filter.prefix, bind);
  if ("suffix" in filter) return attributesToSql("suffix", filter.suffix, bind);
  if ("not" in filter) return `(${filterToSql(filter.not, bind)}) is not true`;
  if ("all" in filter)
    return join(
      "and",
      filter.all.map((each) => filterToSql(each, bind)),
    );
  if ("any" in filter)
    return join(
      "or",
      filter.any.map((each) => filterToSql(each, bind)),
    );
  return join(
    "or",
    toAlternatives(filter.data, []).map((node) => holds(node, "e.data", bind)),
  );
}

function attributesToSql(
  dialect: "exact" | "prefix" | "suffix",
  values: Record<string, string | number | boolean>,
  bind: Bind,
) {
  return join(
    "and",
    Object.entries(values).map(([name, value]) => attributeToSql(dialect, name, String(value), bind)),
  );
}

function join(operator: "and" | "or", conditions: string[]): string {
  return conditions.length === 1 ? (conditions[0] ?? "") : `(${conditions.join(` ${operator} `)})`;
}

/** The part of a pattern for a value holds. predicate.ts says when it does so without a value. */
function holds(node: Node, value: string, bind: Bind): string {
  if (node.optional) return `${match(node, value, bind)} > 0`;
  if (node.kind === "leaf")
    return `exists (select from filter_scalars(${value}) as s (v) where ${leafToSql(node.conditions, bind)})`;
  const members = [...node.members].map(([key, member]) => holds(member, `o.v -> ${bind(key)}`, bind));
  return `exists (select from filter_objects(${value}) as o (v) where ${join("and", members)})`;
}

/**
 * The way in which an optional part matches: 0 it does not, 1 by absence, 2 by a value. For objects this takes the elements of an array in two
 * steps: an element fails if a member fails, and the array by an element that fails, unless another one has the values.
 */
function match(node: Node, value: string, bind: Bind): string {
  if (node.kind === "leaf") {
    return (
      `(select case when count(*) = 0 then 1 when bool_or(${leafToSql(node.conditions, bind)}) then 2 ` +
      `else 0 end from filter_scalars(${value}) as s (v))`
    );
  }
  const members = [...node.members].map(([key, member]) => `(${match(member, `o.v -> ${bind(key)}`, bind)})`);
  return (
    "(select case when max(t.m) = 2 then 2 else coalesce(min(t.m), 1) end " +
    `from filter_objects(${value}) as o (v) cross join lateral (` +
    `select case when min(p.m) = 0 then 0 else max(p.m) end from (values ${members.join(", ")}) as p (m)) as t (m))`
  );
}
