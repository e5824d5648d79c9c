import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Validations } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { AwsSolutionsChecks } from "cdk-nag";
import { afterAll } from "vitest";
import { readSettings } from "../../lib/settings.ts";
import { SluiceStack, type SluiceStackProps } from "../../lib/sluice-stack.ts";
import { type StageConfig, stageConfig } from "../../lib/stage-config.ts";

/** As the CDK's command line gives it to the app: its flags change the template. */
const { context } = JSON.parse(readFileSync("cdk.json", "utf8")) as { context: Record<string, unknown> };

/** Makes the app of one stage without bundling, because these tests read the template alone. */
export function synthesizeStack(
  stage: "dev" | "prod" | StageConfig,
  options: { nag?: boolean; target?: Pick<SluiceStackProps, "database">; name?: string } = {},
) {
  const app = new App({ outdir: temporaryOutdir(), context: { ...context, "aws:cdk:bundling-stacks": [] } });
  if (options.nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const config = typeof stage === "string" ? stageConfig(stage) : stage;
  const stack = new SluiceStack(app, options.name ?? `Sluice-${config.name}`, { ...options.target, stage: config });
  return { app, stack, template: () => Template.fromStack(stack) };
}

/** The settings in a `sluice.config.json` with this content. */
export function settingsIn(content: unknown) {
  const folder = temporaryOutdir();
  writeFileSync(join(folder, "sluice.config.json"), typeof content === "string" ? content : JSON.stringify(content));
  return readSettings(folder);
}

/** The stage `own` with these settings in `sluice.config.json`. */
export const stageWith = (settings: object) => stageConfig("own", settingsIn({ own: { like: "dev", ...settings } }));

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Makes a folder for one cloud assembly, which is deleted after the tests of the file. */
export function temporaryOutdir(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-stack-"));
  folders.push(folder);
  return folder;
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
