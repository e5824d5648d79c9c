import { App, Tags } from "aws-cdk-lib";
import { SluiceStack } from "../lib/sluice-stack.ts";
import { stageConfig } from "../lib/stage-config.ts";

const app = new App();
const stage = stageConfig(app.node.tryGetContext("stage") ?? "dev");
const stack = new SluiceStack(app, `Sluice-${stage.name}`, { stage, description: "Sluice: event ingestion" });
Tags.of(stack).add("application", "sluice");
Tags.of(stack).add("stage", stage.name);
