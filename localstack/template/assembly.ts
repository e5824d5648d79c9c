import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Template, TemplateError } from "./template.ts";

/** One synthesized stack with its bundled assets. */
export type Assembly = {
  stackName: string;
  template: Template;
  /** Absolute folder of a function's asset, by the asset's hash. @throws TemplateError if it was not bundled */
  assetPath: (assetHash: string) => string;
  /** Every asset folder, so that a caller can check that they still exist. */
  assetPaths: string[];
};

type Artifact = {
  type: string;
  displayName?: string;
  properties?: { templateFile?: string; file?: string; stackName?: string };
};
type FileAssets = { files?: Record<string, { source?: { path?: string; packaging?: string } }> };

/**
 * Reads a cloud assembly of one stack: `manifest.json` names the template and the asset manifest, which maps each
 * asset hash (the `S3Key` of a function's code without `.zip`) to its folder.
 * https://docs.aws.amazon.com/cdk/v2/guide/deploy.html (cloud assembly)
 */
export async function readAssembly(outDir: string): Promise<Assembly> {
  const manifest = await readJson<{ artifacts?: Record<string, Artifact> }>(join(outDir, "manifest.json"));
  const artifacts = Object.entries(manifest.artifacts ?? {});
  const stacks = artifacts.filter(([, { type }]) => type === "aws:cloudformation:stack");
  const [id, stack] = stacks[0] ?? [];
  if (id === undefined || stack === undefined || stacks.length !== 1) {
    const names = stacks.map(([name]) => name).join(", ");
    throw new TemplateError(`The CDK app has ${stacks.length} stacks (${names}); the local stack runs one.`);
  }
  const folders = new Map<string, string>();
  for (const [, { type, properties }] of artifacts) {
    if (type !== "cdk:asset-manifest" || properties?.file === undefined) continue;
    const { files = {} } = await readJson<FileAssets>(join(outDir, properties.file));
    for (const [hash, { source }] of Object.entries(files)) {
      if (source?.packaging === "zip" && source.path !== undefined) folders.set(hash, resolve(outDir, source.path));
    }
  }
  return {
    stackName: stack.properties?.stackName ?? stack.displayName ?? id,
    template: await readJson<Template>(join(outDir, stack.properties?.templateFile ?? `${id}.template.json`)),
    assetPath: (assetHash) => {
      const folder = folders.get(assetHash);
      if (folder !== undefined) return folder;
      throw new TemplateError(`The asset ${assetHash || "(none)"} is not a bundled folder of the cloud assembly.`);
    },
    assetPaths: [...folders.values()],
  };
}

async function readJson<Content>(path: string): Promise<Content> {
  return JSON.parse(await readFile(path, "utf8")) as Content;
}
