import { RequestError } from "../errors.ts";
import { FILTER_LIST_MAX_ITEMS, FILTER_MAX_CONDITIONS } from "../filter-limits.ts";
import { badParameter } from "../bad-parameter.ts";
import { toConditions, type DataParameter } from "./data-parameter.ts";
import { parseFilter, type Condition, type Filter, type Pattern } from "./filter.ts";
import { parseDataName } from "./parse-data-name.ts";

/** Tells whether a query parameter of a list of events is part of the filter: `type`, `data.total[gt]`. */
export function isFilterParameter(name: string): boolean {
  return ATTRIBUTES.has(name) || /^data(?:$|[.[])/.test(name);
}

const ATTRIBUTES: ReadonlySet<string> = new Set(["type", "source", "subject", "id"]);

/**
 * Makes a filter of query parameters, in the order of their names' first occurrence; undefined where there are none. An
 * event must match each name, and one of its values where it is repeated. Conditions on `data` make one pattern, so that
 * those below one array hold for the same element.
 * @throws RequestError `bad_parameter` that names the parameter, and says how to repair it
 */
export function filterFromParameters(
  parameters: readonly (readonly [name: string, value: string])[],
): Filter | undefined {
  const attributes = new Map<string, Filter[]>();
  const data: DataParameter[] = [];
  for (const [name, value] of parameters) {
    if (ATTRIBUTES.has(name)) {
      const values = attributes.get(name) ?? [];
      attributes.set(name, values);
      values.push(attributeFilter(name, value));
    } else if (isFilterParameter(name)) data.push({ name, value, ...parseDataName(name) });
    else throw badParameter(name, "is no parameter of a filter");
  }
  const filters = [
    ...[...attributes].map(([name, values]) => join("any", checkNumber(name, values))),
    ...patternsOf(data).map((pattern): Filter => ({ data: pattern })),
  ];
  return filters.length === 0 ? undefined : check(join("all", filters));
}

function attributeFilter(name: string, value: string): Filter {
  const star = value.indexOf("*");
  const isPrefix = star === value.length - 1 && star > 0;
  if (star !== -1 && !isPrefix) {
    throw badParameter(
      name,
      star === 0 && value.length === 1
        ? "is * alone; leave the parameter out"
        : "has a * before its end, where it can only stand for the rest of the text; POST /events/query compares any text",
    );
  }
  return explained(name, isPrefix ? { prefix: { [name]: value.slice(0, -1) } } : { exact: { [name]: value } });
}

function checkNumber(name: string, values: Filter[]): Filter[] {
  if (values.length > FILTER_LIST_MAX_ITEMS) {
    throw badParameter(name, `is sent ${values.length} times; the limit is ${FILTER_LIST_MAX_ITEMS}`);
  }
  return values;
}

/** The conditions of one path and kind are one list. A second kind for the same path is a pattern of its own. */
function patternsOf(data: DataParameter[]): Pattern[] {
  const groups = Map.groupBy(data, ({ steps, kind }) => JSON.stringify([steps, kind]));
  const trees: Tree[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const conditions = toConditions(group);
    explained(first.name, { data: first.steps.reduceRight<Pattern>((part, step) => ({ [step]: part }), conditions) });
    const tree = trees.find((each) => !isTaken(each, first.steps)) ?? newTree(trees);
    put(tree, first.steps, conditions);
  }
  return trees.map(toPattern);
}

/** A pattern in the making: conditions, or members. */
type Tree = { conditions?: readonly Condition[]; members: Map<string, Tree> };

function newTree(trees: Tree[]): Tree {
  const tree: Tree = { members: new Map() };
  trees.push(tree);
  return tree;
}

/** Tells whether the path, one above it or one below it has conditions: a pattern cannot have both. */
function isTaken(tree: Tree, steps: readonly string[]): boolean {
  let node: Tree | undefined = tree;
  for (const step of steps) {
    if (node.conditions !== undefined) return true;
    node = node.members.get(step);
    if (node === undefined) return false;
  }
  return node.conditions !== undefined || node.members.size > 0;
}

function put(tree: Tree, steps: readonly string[], conditions: readonly Condition[]): void {
  let node = tree;
  for (const step of steps) {
    const next: Tree = node.members.get(step) ?? { members: new Map() };
    node.members.set(step, next);
    node = next;
  }
  node.conditions = conditions;
}

function toPattern({ conditions, members }: Tree): Pattern {
  return conditions ?? Object.fromEntries([...members].map(([key, tree]) => [key, toPattern(tree)]));
}

function join(dialect: "all" | "any", filters: Filter[]): Filter {
  const [only] = filters;
  if (only !== undefined && filters.length === 1) return only;
  return dialect === "all" ? { all: filters } : { any: filters };
}

/** Checks the filter of one parameter. @throws RequestError `bad_parameter` that names it */
function explained(name: string, filter: Filter): Filter {
  return parse(filter, ({ pointer, message }) => badParameter(name, message.slice(`${pointer} `.length, -".".length)));
}

/** Checks the limits of the whole. @throws RequestError `bad_parameter` */
function check(filter: Filter): Filter {
  const limit = `The filter may have at most ${FILTER_MAX_CONDITIONS} conditions`;
  return parse(filter, ({ message }) => new RequestError("bad_parameter", `${limit}: ${message}`));
}

function parse(filter: Filter, toError: (fault: { pointer: string; message: string }) => RequestError): Filter {
  try {
    return parseFilter(filter);
  } catch (cause) {
    if (!(cause instanceof RequestError)) throw cause;
    throw toError({ pointer: String(cause.members["pointer"]), message: cause.message });
  }
}
