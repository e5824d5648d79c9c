/** A value for each period, undefined where there is none; or one number for all. */
export type Series = (number | undefined)[];
type Value = Series | number;

/**
 * Evaluates an expression of CloudWatch's metric math: numbers, metrics by their ids, arithmetic, comparisons, `&&`, `||`, IF
 * and FILL. A period without a value of an operand has none in the result, and neither has a division by zero.
 * @throws Error for anything else, which this repository's alarms do not use yet
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function evaluateMath(expression: string, metrics: Record<string, Series>, periods: number): Series {
  const tokens = expression.match(/\d+(?:\.\d+)?|\w+|&&|\|\||[<>=!]=|[-+*/<>(),]|\S/g) ?? [];
  let next = 0;
  const refuse = (what: string) => {
    throw new Error(`Metric math ${JSON.stringify(expression)}: ${what}`);
  };
  const take = (token: string) => {
    if (tokens[next] !== token) refuse(`${JSON.stringify(tokens[next])} is where ${token} should be`);
    next += 1;
  };

  const operand = (): Value => {
    const token = tokens[next++] ?? refuse("it ends too early");
    if (token === "(") {
      const inner = binary(0);
      take(")");
      return inner;
    }
    if (token === "-") return each([operand()], ([a = 0]) => -a);
    if (/^\d/.test(token)) return Number(token);
    if (tokens[next] === "(") return call(token);
    return metrics[token] ?? refuse(`there is no metric ${token}`);
  };

  const call = (name: string): Value => {
    take("(");
    const values = [binary(0)];
    while (tokens[next] === ",") {
      next += 1;
      values.push(binary(0));
    }
    take(")");
    const [first, second, third] = values;
    if (name === "FILL" && second !== undefined && typeof second === "number")
      return asSeries(first).map((value) => value ?? second);
    if (name === "IF" && first !== undefined && second !== undefined && third !== undefined)
      return asSeries(first).map((value, i) =>
        value === undefined ? undefined : asSeries(value === 0 ? third : second)[i],
      );
    return refuse(`${name} with ${values.length} values is not known here`);
  };

  const binary = (level: number): Value => {
    const operators = LEVELS[level];
    if (operators === undefined) return operand();
    let left = binary(level + 1);
    for (let apply = operators[tokens[next] ?? ""]; apply !== undefined; apply = operators[tokens[next] ?? ""]) {
      next += 1;
      left = each([left, binary(level + 1)], ([a = 0, b = 0]) => apply(a, b));
    }
    return left;
  };

  const asSeries = (value: Value | undefined): Series =>
    typeof value === "object" ? value : Array.from({ length: periods }, () => value);

  const each = (values: Value[], apply: (values: number[]) => number): Value => {
    if (values.every((value) => typeof value === "number")) return apply(values);
    return asSeries(0).map((_, i) => {
      const present = values.map((value) => asSeries(value)[i]);
      if (present.includes(undefined)) return undefined;
      const result = apply(present as number[]);
      return Number.isFinite(result) ? result : undefined;
    });
  };

  const result = binary(0);
  if (next < tokens.length) refuse(`${JSON.stringify(tokens[next])} follows the end`);
  return asSeries(result);
}

type Operators = Record<string, ((a: number, b: number) => number) | undefined>;

/** Operators from those that bind least. */
const LEVELS: Operators[] = [
  { "||": (a, b) => Number(a !== 0 || b !== 0) },
  { "&&": (a, b) => Number(a !== 0 && b !== 0) },
  {
    "<": (a, b) => Number(a < b),
    ">": (a, b) => Number(a > b),
    "<=": (a, b) => Number(a <= b),
    ">=": (a, b) => Number(a >= b),
    "==": (a, b) => Number(a === b),
    "!=": (a, b) => Number(a !== b),
  },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  { "*": (a, b) => a * b, "/": (a, b) => a / b },
];
