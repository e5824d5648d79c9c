import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { childEnvironment } from "../child-environment.ts";
import { onAbort } from "../on-abort.ts";
import { TemplateError } from "./template.ts";

/**
 * Runs the CDK app as the CDK CLI does, with the output folder and the context in the environment. `node` in the command
 * of `cdk.json` is the Node that runs this file. The app does not see the user's settings for AWS and other programs: a template
 * must not depend on them.
 * @throws TemplateError with the app's output if it fails
 */
export async function runCdkApp(options: {
  /** The command of `cdk.json`, for example `node bin/sluice.ts`. Words are split at spaces. */
  app: string;
  projectDir: string;
  outDir: string;
  context: Record<string, unknown>;
  signal?: AbortSignal;
}): Promise<void> {
  const { app, projectDir, outDir, context, signal: stopping } = options;
  stopping?.throwIfAborted();
  const [program = "", ...words] = app.split(" ").filter((word) => word !== "");
  await mkdir(outDir, { recursive: true });
  const child = spawn(program === "node" ? process.execPath : program, words, {
    cwd: projectDir,
    env: {
      ...childEnvironment(),
      CDK_OUTDIR: outDir,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      // CDK's check of the template against CloudFormation's schemas takes two seconds. The stack tests and every
      // deployment make it; a start on this machine does not need it.
      CDK_VALIDATION: "false",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: string): void => {
    output += chunk;
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  const forget = stopping && onAbort(stopping, () => child.kill());
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  forget?.();
  if (code === 0) return;
  await rm(outDir, { recursive: true, force: true });
  throw new TemplateError(`The CDK app (${app}) ended with ${signal ?? code}:\n${output.trim()}`);
}
