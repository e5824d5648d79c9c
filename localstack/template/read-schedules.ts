import type { FunctionModel, ScheduleModel } from "./model.ts";
import { propertiesOf, type Shape } from "./properties.ts";
import { findFunction } from "./read-functions.ts";
import type { Resolver } from "./resolver.ts";

const RULE: Shape = {
  used: ["Name", "ScheduleExpression", "State", "Targets"],
  inert: ["Description", "Tags"],
};
const TARGET: Shape = { used: ["Arn", "Input"], inert: ["DeadLetterConfig", "Id", "RetryPolicy"] };

/** One schedule for each function a rule calls; rules that are switched off are left out. */
export function readSchedules(resolver: Resolver, functions: FunctionModel[]): ScheduleModel[] {
  return resolver.idsOf("AWS::Events::Rule").flatMap((logicalId) => {
    const rule = propertiesOf(resolver, logicalId, RULE);
    if (rule.optionalText("State") === "DISABLED") return [];
    return rule.objects("Targets", TARGET).map((target) => ({
      name: String(resolver.ref(logicalId, logicalId)),
      arn: String(resolver.getAtt(logicalId, "Arn", logicalId)),
      expression: rule.text("ScheduleExpression"),
      functionArn: findFunction(functions, target.text("Arn"), `${target.path}.Arn`).arn,
      input: target.optionalText("Input"),
    }));
  });
}
