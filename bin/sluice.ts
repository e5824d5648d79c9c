import { App, Tags } from "aws-cdk-lib";
import { SluiceStack } from "../lib/sluice-stack.ts";
import { stageConfig } from "../lib/stage-config.ts";
import { deployTarget } from "../lib/deploy-target.ts";

const app = new App();
const context = (name: string): unknown => app.node.tryGetContext(name);
const stage = stageConfig(context("stage") ?? "dev");
const stackName = `Sluice-${stage.name}`;
const stack = new SluiceStack(app, stackName, {
  ...deployTarget(context, stackName),
  stage,
  description: "Sluice: event ingestion",
});
Tags.of(stack).add("application", "sluice");
Tags.of(stack).add("stage", stage.name);
