import { basename } from "node:path";
import type { ApiGateway } from "./api-gateway/start-api-gateway.ts";
import { invokedFunctions, runTriggers, type StackFunctions } from "./lambda/stack-functions.ts";
import type { FunctionModel, StackModel } from "./template/model.ts";

/**
 * Takes over new code, environment and routes, after the triggers whose function changed: a new migration is applied
 * before the code that needs it. Other changes of the template need a new start.
 */
export async function reload(next: StackModel, previous: StackModel, { functions, api, log }: Running): Promise<void> {
  const assets = new Map(previous.functions.map(({ arn, assetPath }) => [arn, basename(assetPath)]));
  const changed = invokedFunctions(next).filter(({ arn, assetPath }) => assets.get(arn) !== basename(assetPath));
  const triggers = next.triggers.filter(({ functionArn }) => changed.some(({ arn }) => arn === functionArn));
  for (const model of changed) if (isTriggered(next, model)) functions.reload(model);
  await runTriggers(triggers, functions.invoke);
  for (const model of invokedFunctions(next)) if (!isTriggered(next, model)) functions.reload(model);
  api.update(next.api);
  log(`Reloaded; new code in ${changed.map(({ logicalId }) => logicalId).join(", ") || "no function"}`);
}

type Running = {
  functions: StackFunctions;
  api: ApiGateway;
  log: (line: string) => void;
};

function isTriggered({ triggers }: StackModel, { arn }: FunctionModel): boolean {
  return triggers.some(({ functionArn }) => functionArn === arn);
}
