import { explainFailure, type Invoke } from "./lambda/invoke.ts";
import type { StackModel } from "./template/model.ts";
import { stackOutput } from "./template/stack-output.ts";

/** Invokes the function `access` past the API, as only the owner of the stack may. @throws Error with its failure */
export async function invokeAccess(
  stack: StackModel,
  invoke: (arn: string) => Invoke,
  payload: string,
): Promise<string> {
  const name = stackOutput(stack, "AccessFunctionName");
  const model = stack.functions.find((each) => each.name === name);
  if (model === undefined) throw new Error(`The stack has no function ${name}.`);
  const result = await invoke(model.arn)(payload);
  if (result.kind !== "success") throw new Error(`${name} made no key: ${explainFailure(result)}`);
  return result.payload;
}
