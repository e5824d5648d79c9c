import type { FunctionModel, TriggerModel } from "./model.ts";
import { propertiesOf, type Shape } from "./properties.ts";
import { findFunction } from "./read-functions.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

const TRIGGER: Shape = {
  used: ["HandlerArn", "InvocationType", "Timeout"],
  inert: ["ExecuteOnHandlerChange", "ServiceToken"],
};
const MILLISECONDS_PER_SECOND = 1000;
/** https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.triggers.Trigger.html: two minutes. */
const DEFAULT_TIMEOUT_MILLISECONDS = 120_000;

/** The functions that CDK's `Trigger` calls during a deployment, in the order of their `DependsOn`. */
export function readTriggers(resolver: Resolver, functions: FunctionModel[]): TriggerModel[] {
  return inDependencyOrder(resolver)
    .filter((logicalId) => resolver.resources[logicalId]?.Type === "Custom::Trigger")
    .map((logicalId) => {
      const properties = propertiesOf(resolver, logicalId, TRIGGER);
      if ((properties.optionalText("InvocationType") ?? "RequestResponse") !== "RequestResponse") {
        throw new TemplateError(
          `${properties.path}.InvocationType: only RequestResponse runs locally: the start waits for the function.`,
        );
      }
      const timeout = properties.number("Timeout", DEFAULT_TIMEOUT_MILLISECONDS);
      return {
        name: logicalId,
        functionArn: findFunction(functions, properties.text("HandlerArn"), `${properties.path}.HandlerArn`).arn,
        timeoutSeconds: timeout / MILLISECONDS_PER_SECOND,
      };
    });
}

/** All logical ids in the template's order, but each after its dependencies. */
function inDependencyOrder({ resources }: Resolver): string[] {
  const ordered = new Set<string>();
  const visit = (logicalId: string, above: string[]): void => {
    if (ordered.has(logicalId) || resources[logicalId] === undefined) return;
    if (above.includes(logicalId)) {
      throw new TemplateError(`Circular DependsOn: ${[...above, logicalId].join(" → ")}.`);
    }
    for (const dependency of [resources[logicalId].DependsOn ?? []].flat()) visit(dependency, [...above, logicalId]);
    ordered.add(logicalId);
  };
  for (const logicalId of Object.keys(resources)) visit(logicalId, []);
  return [...ordered];
}
