import { App, Tags } from "aws-cdk-lib";
import { checkCatalog } from "../lib/check-catalog.ts";
import { CatalogError } from "../lib/read-catalog.ts";
import { SluiceStack } from "../lib/sluice-stack.ts";
import { readSettings } from "../lib/settings.ts";
import { stageConfig } from "../lib/stage-config.ts";
import { deployTarget, leaveOutOnTarget, stageOnTarget } from "../lib/deploy-target.ts";

// Bundling reads the catalog too, but CDK would hide the message between its own.
const fault = catalogFault();
if (fault === undefined) {
  createApp();
} else {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
}

function catalogFault(): string | undefined {
  try {
    checkCatalog("catalog");
    return undefined;
  } catch (error) {
    if (error instanceof CatalogError) return error.message;
    throw error;
  }
}

function createApp(): void {
  const app = new App();
  const context = (name: string): unknown => app.node.tryGetContext(name);
  const stage = stageOnTarget(stageConfig(context("stage") ?? "dev", readSettings()), context("target"));
  const stackName = `Sluice-${stage.name}`;
  const stack = new SluiceStack(app, stackName, {
    ...deployTarget(context, stackName),
    stage,
    description: "Sluice: event ingestion",
  });
  leaveOutOnTarget(stack, context("target"));
  Tags.of(stack).add("application", "sluice");
  Tags.of(stack).add("stage", stage.name);
}
