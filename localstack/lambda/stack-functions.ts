import { availableParallelism } from "node:os";
import type { FunctionModel, StackModel, TriggerModel } from "../template/model.ts";
import { explainFailure, type Invoke } from "./invoke.ts";
import { type FunctionOptions, type LocalFunction, startFunction } from "./start-function.ts";

/** The functions of a stack that something invokes. */
export type StackFunctions = {
  /** @throws Error for an ARN of no such function */
  invoke: (arn: string) => Invoke;
  reload(model: FunctionModel): void;
  /** The asset folders that new invocations run from. */
  assetPaths(): string[];
  stop(giveUp?: AbortSignal): Promise<void>;
};

/** A laptop has fewer cores than Lambda; more processes would only wait for each other. */
const MAX_PROCESSES = Math.max(4, availableParallelism());

export function startStackFunctions(
  stack: StackModel,
  {
    maxProcesses = MAX_PROCESSES,
    ...options
  }: Omit<FunctionOptions, "maxProcesses"> & { maxProcesses?: number | undefined },
): StackFunctions {
  const started = new Map<string, LocalFunction>();
  for (const model of invokedFunctions(stack)) {
    const most = processesOf(stack, model, maxProcesses);
    started.set(model.arn, startFunction(model, { ...options, maxProcesses: most }));
  }
  const find = (arn: string): LocalFunction => {
    const found = started.get(arn);
    if (found === undefined) throw new Error(`The template invokes ${arn}, which is not one of its functions.`);
    return found;
  };
  return {
    invoke: (arn) => (payload) => find(arn).invoke(payload),
    reload: (model) => find(model.arn).reload(model),
    assetPaths: () => [...started.values()].map((each) => each.model().assetPath),
    async stop(giveUp) {
      await Promise.all([...started.values()].map((each) => each.stop(giveUp)));
    },
  };
}

/** The functions of routes, event sources, schedules, triggers and rotations; CDK's own helper functions are not started. */
export function invokedFunctions(stack: StackModel): FunctionModel[] {
  const rotations = stack.secrets.flatMap(({ rotation }) => rotation ?? []);
  const invoked = [...stack.api.routes, ...stack.eventSources, ...stack.schedules, ...stack.triggers, ...rotations];
  const arns = new Set(invoked.map(({ functionArn }) => functionArn));
  return stack.functions.filter(({ arn }) => arns.has(arn));
}

/**
 * The maximum concurrency of an event source also holds on a machine with more cores. A function that answers requests as
 * well has more processes: a request does not wait for a batch.
 */
function processesOf(stack: StackModel, { arn }: FunctionModel, maxProcesses: number): number {
  const ofSource = stack.eventSources.find(({ functionArn }) => functionArn === arn)?.maximumConcurrency;
  const hasRoutes = stack.api.routes.some(({ functionArn }) => functionArn === arn);
  return ofSource === undefined ? maxProcesses : ofSource + (hasRoutes ? maxProcesses : 0);
}

/** Runs the functions that CloudFormation runs during a deployment. A failure stops the start, as it stops a deployment. */
export async function runTriggers(triggers: TriggerModel[], invoke: (arn: string) => Invoke): Promise<void> {
  for (const { name, functionArn } of triggers) {
    const result = await invoke(functionArn)("{}");
    if (result.kind !== "success") throw new Error(`${name} failed: ${explainFailure(result)}`);
  }
}
