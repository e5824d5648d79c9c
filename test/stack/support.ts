import { App, Validations } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { AwsSolutionsChecks } from "cdk-nag";
import { SluiceStack } from "../../lib/sluice-stack.ts";
import { stageConfig } from "../../lib/stage-config.ts";

/** The app of one stage, without bundling: these tests read the template, not the code. */
export function synthesizeStack(stage: "dev" | "prod", options: { nag?: boolean } = {}) {
  const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
  if (options.nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new SluiceStack(app, `Sluice-${stage}`, { stage: stageConfig(stage) });
  return { app, stack, template: () => Template.fromStack(stack) };
}
