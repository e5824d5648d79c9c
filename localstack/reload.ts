import type { ApiGateway } from "./api-gateway/start-api-gateway.ts";
import { invokedFunctions, runTriggers, type StackFunctions } from "./lambda/stack-functions.ts";
import type { FunctionModel, StackModel } from "./template/model.ts";

/**
 * Applies new code, environment and routes to the running stack. Triggers whose function changed run first, so that a new
 * migration is applied before the code that needs it. Other changes need a restart, and the log names them.
 */
export async function reload(next: StackModel, previous: StackModel, running: Running): Promise<void> {
  const { functions, api, log } = running;
  const changed = changedFunctions(next, previous);
  const triggers = next.triggers.filter(({ functionArn }) => changed.some(({ arn }) => arn === functionArn));
  for (const model of changed) if (isTriggered(next, model)) functions.reload(model);
  await runTriggers(triggers, functions.invoke);
  for (const model of changed) if (!isTriggered(next, model)) functions.reload(model);
  api.update(next.api);
  log(`Reloaded; changed functions: ${changed.map(({ logicalId }) => logicalId).join(", ") || "none"}`);
  const left = needsRestart(next, running.started);
  if (left.length > 0) log(`Restart to apply what changed in: ${left.join(", ")}`);
}

type Running = {
  functions: StackFunctions;
  api: ApiGateway;
  log: (line: string) => void;
  /** The stack at the start; its queues, tables, secrets, event sources and schedules are the running ones. */
  started: StackModel;
};

/** The functions with another asset, environment or setting. A new function has no process yet. */
function changedFunctions(next: StackModel, previous: StackModel): FunctionModel[] {
  const before = new Map(invokedFunctions(previous).map((model) => [model.arn, model]));
  return invokedFunctions(next).filter((model) => {
    const old = before.get(model.arn);
    return old !== undefined && !isSame(model, old);
  });
}

/** The changed parts of the stack that cannot change while it runs, by their names in `model.ts`. */
function needsRestart(next: StackModel, started: StackModel): string[] {
  const parts = (["queues", "tables", "secrets", "eventSources", "schedules", "triggers", "database"] as const).filter(
    (part) => !isSame(next[part], started[part]),
  );
  const known = new Set(invokedFunctions(started).map(({ arn }) => arn));
  const added = invokedFunctions(next).filter(({ arn }) => !known.has(arn));
  return [...parts, ...added.map(({ logicalId }) => logicalId)];
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

function isTriggered({ triggers }: StackModel, { arn }: FunctionModel): boolean {
  return triggers.some(({ functionArn }) => functionArn === arn);
}
