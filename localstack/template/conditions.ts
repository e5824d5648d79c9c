import { type Template, TemplateError } from "./template.ts";

type Tools = {
  resolve: (value: unknown, path: string) => unknown;
  once: <T>(what: string, path: string, work: () => T) => T;
};

/**
 * The template's conditions, evaluated when asked for.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
 */
export function createConditions(template: Template, { resolve, once }: Tools) {
  const holds = (name: string, path: string): boolean => {
    const definition = template.Conditions?.[name];
    if (definition === undefined) throw new TemplateError(`${path}: there is no condition ${name} in the template.`);
    return once(`condition ${name}`, path, () => evaluate(definition, `Conditions.${name}`));
  };

  const evaluate = (expression: unknown, path: string): boolean => {
    const [key, argument] = onlyEntry(expression, path);
    if (key === "Condition" && typeof argument === "string") return holds(argument, path);
    const operands = Array.isArray(argument) ? argument : [];
    const each = () => operands.map((operand, index) => evaluate(operand, `${path}.${key}[${index}]`));
    switch (key) {
      case "Fn::Equals":
        return (
          JSON.stringify(resolve(operands[0], `${path}[0]`)) === JSON.stringify(resolve(operands[1], `${path}[1]`))
        );
      case "Fn::And":
        return each().every(Boolean);
      case "Fn::Or":
        return each().some(Boolean);
      case "Fn::Not":
        return !each()[0];
      default:
        throw new TemplateError(
          `${path}: the condition function ${key} is not known locally. Add it to conditions.ts.`,
        );
    }
  };

  return { holds };
}

function onlyEntry(expression: unknown, path: string): [string, unknown] {
  const entries = typeof expression === "object" && expression !== null ? Object.entries(expression) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) throw new TemplateError(`${path}: not a condition function.`);
  return entry;
}
