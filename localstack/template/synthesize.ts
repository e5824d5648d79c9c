import { access, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Assembly, readAssembly } from "./assembly.ts";
import { runCdkApp } from "./run-cdk-app.ts";
import { replaceAssembly } from "./replace-assembly.ts";
import { synthesisKey } from "./synthesis-key.ts";
import { TemplateError } from "./template.ts";

export type SynthesizeOptions = {
  /** Folder with `cdk.json`. */
  projectDir: string;
  /** The folder of the cloud assembly; replaced only after a synthesis that succeeded. */
  outDir: string;
  /** Overrides the context of `cdk.json`. */
  context?: Record<string, string>;
  /** Asset folders that functions run from; they are kept. */
  inUse?: readonly string[];
  /** Ends the CDK app. */
  signal?: AbortSignal;
  log?: (line: string) => void;
};

/**
 * The cloud assembly of the CDK app, as `cdk synth` makes it, without the CDK CLI, an account or a network.
 * When nothing that a synthesis reads has changed since the last one, its result is used again (a few milliseconds).
 * @throws TemplateError with the app's own messages if the app fails
 */
export async function synthesize(options: SynthesizeOptions): Promise<Assembly> {
  const projectDir = resolve(options.projectDir);
  const outDir = resolve(options.outDir);
  const { app, context: ownContext = {} } = await readCdkJson(projectDir);
  const context = { ...CLI_CONTEXT, ...ownContext, ...options.context };
  const key = await synthesisKey(projectDir, context);
  const kept = await readKept(outDir, key);
  if (kept !== undefined) return kept;

  options.log?.("Synthesizing the CDK app");
  const fresh = `${outDir}.next`;
  await rm(fresh, { recursive: true, force: true });
  await runCdkApp({ app, projectDir, outDir: fresh, context, ...(options.signal && { signal: options.signal }) });
  await rm(keyFile(outDir), { force: true });
  await replaceAssembly(fresh, outDir, options.inUse);
  const assembly = await readAssembly(outDir);
  await writeFile(keyFile(outDir), key);
  return assembly;
}

/**
 * The context that the CDK CLI adds to every synthesis. Bundling is on for every stack by default.
 * https://github.com/aws/aws-cdk-cli, packages/@aws-cdk/toolkit-lib, prepareContext
 */
const CLI_CONTEXT = {
  "aws:cdk:enable-path-metadata": true,
  "aws:cdk:enable-asset-metadata": true,
  "aws:cdk:bundling-stacks": ["**"],
};

const keyFile = (outDir: string): string => `${outDir}.key`;

/** The last assembly, if it has the same inputs and all its folders still exist. */
async function readKept(outDir: string, key: string): Promise<Assembly | undefined> {
  try {
    if ((await readFile(keyFile(outDir), "utf8")) !== key) return undefined;
    const assembly = await readAssembly(outDir);
    await Promise.all(assembly.assetPaths.map((path) => access(path)));
    return assembly;
  } catch {
    return undefined;
  }
}

async function readCdkJson(projectDir: string): Promise<{ app: string; context?: Record<string, unknown> }> {
  const path = join(projectDir, "cdk.json");
  const { app, context } = JSON.parse(await readFile(path, "utf8")) as {
    app?: string;
    context?: Record<string, unknown>;
  };
  if (app === undefined) throw new TemplateError(`${path} has no "app", the command that runs the CDK app.`);
  return { app, ...(context === undefined ? {} : { context }) };
}
