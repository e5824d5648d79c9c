import { cpSync } from "node:fs";
import { basename, join } from "node:path";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { buildSync } from "esbuild";
import { generateCatalog } from "./generate-catalog.ts";

/**
 * Bundles a stage's handler into one CommonJS file with nothing external (CommonJS starts some 10 ms sooner than a
 * module), and copies folders and files beside it. With esbuild in this process: `NodejsFunction` starts it through `npx`, which
 * takes half a second for each function, at every start and reload of the local runtime.
 */
export function bundleHandler(stage: string, copies: readonly string[]): Code {
  const source = `functions/${stage}`;
  return Code.fromAsset(source, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never run: the local bundling below always succeeds or throws.
      image: DockerImage.fromRegistry("scratch"),
      local: {
        tryBundle(outputDir) {
          generateCatalog();
          buildHandler(stage, outputDir, DEPLOYED);
          for (const path of copies) cpSync(path, join(outputDir, basename(path)), { recursive: true });
          return true;
        },
      },
    },
  });
}

/** Nothing that only tests use: the calls of failpoints are dropped. */
export const DEPLOYED = { dropLabels: ["FAILPOINT"] };

/** Writes `index.js` of a stage's handler into a folder. */
export function buildHandler(
  stage: string,
  outputDir: string,
  { dropLabels }: { readonly dropLabels: string[] },
): void {
  buildSync({
    entryPoints: [join("functions", stage, "handler.ts")],
    outfile: join(outputDir, "index.js"),
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning",
    dropLabels,
  });
}
