import { isObject } from "../is-object.ts";
import { type Template, TemplateError } from "./template.ts";
import { list } from "./values.ts";

/**
 * Tells whether a condition of the template holds.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
 */
export function createConditions(template: Template, resolve: (value: unknown, path: string) => unknown) {
  const evaluate = (expression: unknown, path: string): boolean => {
    const [key, argument] = onlyEntry(expression, path);
    const operands = list(argument, `${path}.${key}`);
    switch (key) {
      case "Fn::Equals": {
        const [left, right] = operands.map((operand, index) => JSON.stringify(resolve(operand, `${path}[${index}]`)));
        return left === right;
      }
      case "Fn::Or":
        return operands.some((operand, index) => evaluate(operand, `${path}.${key}[${index}]`));
      default:
        throw new TemplateError(
          `${path}: the condition function ${key} is not known locally. Add it to conditions.ts.`,
        );
    }
  };

  return (name: string, path: string): boolean => {
    const definition = template.Conditions?.[name];
    if (definition === undefined) throw new TemplateError(`${path}: there is no condition ${name} in the template.`);
    return evaluate(definition, `Conditions.${name}`);
  };
}

function onlyEntry(expression: unknown, path: string): [string, unknown] {
  const entries = isObject(expression) ? Object.entries(expression) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) throw new TemplateError(`${path}: not a condition function.`);
  return entry;
}
