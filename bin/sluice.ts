import { App, Tags } from "aws-cdk-lib";
import { SluiceStack } from "../lib/sluice-stack.ts";
import { readSettings } from "../lib/settings.ts";
import { stageConfig } from "../lib/stage-config.ts";
import { deployTarget } from "../lib/deploy-target.ts";

const app = new App();
const context = (name: string): unknown => app.node.tryGetContext(name);
const stage = stageConfig(context("stage") ?? "dev", readSettings());
const stack = new SluiceStack(app, `Sluice-${stage.name}`, {
  ...deployTarget(context),
  stage,
  description: "Sluice: event ingestion",
});
Tags.of(stack).add("application", "sluice");
Tags.of(stack).add("stage", stage.name);
