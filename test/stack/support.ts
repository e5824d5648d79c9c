import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Validations } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { AwsSolutionsChecks } from "cdk-nag";
import { readSettings } from "../../lib/settings.ts";
import { SluiceStack, type SluiceStackProps } from "../../lib/sluice-stack.ts";
import { type StageConfig, stageConfig } from "../../lib/stage-config.ts";

/** As the CDK's command line gives it to the app: its flags change the template. */
const { context } = JSON.parse(readFileSync("cdk.json", "utf8")) as { context: Record<string, unknown> };

type Stage = "dev" | "prod" | StageConfig;
type StackOptions = { nag?: boolean; validate?: boolean; target?: Pick<SluiceStackProps, "database">; name?: string };

/**
 * Synthesizes the app of one stage without bundling, because these tests read the template alone. Its assembly is there only
 * while `read` runs. CloudFormation's own rules take half of a synthesis; they are tests of their own (nag.test.ts), which
 * pass `validate`.
 */
export function synthesizeStack<Result>(
  stage: Stage,
  options: StackOptions,
  read: (app: App, stack: SluiceStack) => Result,
): Result {
  return inTemporaryFolder((outdir) => {
    const app = new App({
      outdir,
      context: { ...context, "aws:cdk:bundling-stacks": [] },
      builtinCloudFormationValidation: options.validate === true,
      treeMetadata: false,
    });
    if (options.nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const config = configOf(stage);
    return read(
      app,
      new SluiceStack(app, options.name ?? `Sluice-${config.name}`, { ...options.target, stage: config }),
    );
  });
}

const configOf = (stage: Stage) => (typeof stage === "string" ? stageConfig(stage) : stage);

/** Synthesizes the template of one stage. */
export const synthesizeTemplate = (stage: Stage, options: Pick<StackOptions, "target" | "name"> = {}): Template =>
  synthesizeStack(stage, options, (_, stack) => Template.fromStack(stack));

const templates = new Map<string, Template>();

/** The template of one stage, which is synthesized once for all files that a worker runs. Nobody may change it. */
export function templateOf(stage: Stage, { name }: { name?: string } = {}): Template {
  const key = JSON.stringify([configOf(stage), name]);
  const template = templates.get(key) ?? synthesizeTemplate(stage, { ...(name !== undefined && { name }) });
  templates.set(key, template);
  return template;
}

/** The settings in a `sluice.config.json` with this content. */
export function settingsIn(content: unknown) {
  return inTemporaryFolder((folder) => {
    writeFileSync(join(folder, "sluice.config.json"), typeof content === "string" ? content : JSON.stringify(content));
    return readSettings(folder);
  });
}

/** The stage `own` with these settings in `sluice.config.json`. */
export const stageWith = (settings: object) => stageConfig("own", settingsIn({ own: { like: "dev", ...settings } }));

/** Gives `work` a folder, which is deleted after it. */
export function inTemporaryFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "sluice-stack-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The routes of the REST API, for example `GET /events/{id}`. */
export function routesOf(template: Template): string[] {
  const resources = template.findResources("AWS::ApiGateway::Resource") as Record<
    string,
    { Properties: { PathPart: string; ParentId: { Ref?: string } } }
  >;
  const path = (id: string | undefined): string => {
    const resource = id === undefined ? undefined : resources[id];
    return resource === undefined ? "" : `${path(resource.Properties.ParentId.Ref)}/${resource.Properties.PathPart}`;
  };
  const methods = Object.values(template.findResources("AWS::ApiGateway::Method")) as {
    Properties: { HttpMethod: string; ResourceId: { Ref: string } };
  }[];
  return methods.map(({ Properties }) => `${Properties.HttpMethod} ${path(Properties.ResourceId.Ref)}`);
}
