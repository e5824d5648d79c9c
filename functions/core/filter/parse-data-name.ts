import { OR } from "./alternatives.ts";
import { badParameter } from "../bad-parameter.ts";

type DataOperator = keyof typeof KINDS;

/** Operators of one kind make one condition of a path. */
const KINDS = {
  eq: "value",
  in: "value",
  ne: "other value",
  prefix: "prefix",
  suffix: "suffix",
  contains: "contains",
  gt: "range",
  gte: "range",
  lt: "range",
  lte: "range",
  exists: "exists",
} as const;

export type DataName = { steps: string[]; operator: DataOperator; kind: (typeof KINDS)[DataOperator] };

/**
 * Parses the name of a parameter `data.PATH[OPERATOR]`. Dots separate the keys of the path; a backslash makes the dot,
 * bracket or backslash behind it a part of the key. Without an operator it is `eq`, without a path data itself.
 * @throws RequestError `bad_parameter`
 */
export function parseDataName(name: string): DataName {
  const match = NAME.exec(name);
  if (match === null) {
    throw badParameter(
      name,
      "is not data.PATH[OPERATOR]; write a dot, bracket or backslash of a key with \\ before it",
    );
  }
  const [, path = "", operator = "eq"] = match;
  if (!isOperator(operator)) {
    throw badParameter(name, `has the unknown operator ${operator}; there are ${Object.keys(KINDS).join(", ")}`);
  }
  const steps = [...path.matchAll(STEP)].map(([, key = ""]) => key.replaceAll(/\\(.)/gsu, "$1"));
  if (steps.includes("")) throw badParameter(name, "has an empty key; POST /events/query takes any key");
  if (steps.includes(OR)) throw badParameter(name, `has the key ${OR}, which patterns keep for themselves`);
  return { steps, operator, kind: KINDS[operator] };
}

/** `data`, keys with a dot before each, and an operator in brackets. */
const NAME = /^data((?:\.(?:[^\\.[\]]|\\[\\.[\]])*)*)(?:\[([^[\]]*)\])?$/su;
const STEP = /\.((?:[^\\.]|\\.)*)/gsu;

function isOperator(name: string): name is DataOperator {
  return Object.hasOwn(KINDS, name);
}
