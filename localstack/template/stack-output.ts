import type { StackModel } from "./model.ts";

/** An output of the stack. @throws Error if the stack has none of this name */
export function stackOutput(stack: StackModel, name: string): string {
  const value = stack.outputs[name];
  if (value === undefined) throw new Error(`The stack has no output ${name}.`);
  return value;
}
