import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { buildSync } from "esbuild";
import type { FunctionName } from "../functions/core/functions.ts";
import { BUNDLE_OPTIONS } from "./bundle-options.ts";
import { toDeclaredFields } from "../functions/core/declared-fields.ts";
import { readCatalog } from "./read-catalog.ts";

/**
 * Bundles a function's handler into one CommonJS file with nothing external, and copies folders and files beside it.
 * CommonJS starts some 10 ms sooner than a module. esbuild runs in this process, because `NodejsFunction` starts it through
 * `npx`: half a second for each function, at every start and reload of the local runtime.
 */
export function bundleHandler(name: FunctionName, copies: readonly string[]): Code {
  const source = `functions/${name}`;
  return Code.fromAsset(source, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the local bundling below always succeeds or throws.
      image: DockerImage.fromRegistry("scratch"),
      local: {
        tryBundle(outputDir) {
          buildHandler(name, outputDir, DEPLOYED);
          for (const path of copies) cpSync(path, join(outputDir, basename(path)), { recursive: true });
          return true;
        },
      },
    },
  });
}

/** The options of deployed code: calls of failpoints are dropped. */
export const DEPLOYED = { dropLabels: ["FAILPOINT"] };

/**
 * Writes `index.js` of a function's handler into a folder.
 * @param alias packages and their replacements, besides the SDK's chain of credential providers, which never runs in Lambda
 * and is a quarter of a client's code
 * @param entry a handler in place of the function's own, for benchmarks
 */
export function buildHandler(
  name: FunctionName,
  outputDir: string,
  {
    dropLabels,
    alias = {},
    entry = join("functions", name, "handler.ts"),
  }: { readonly dropLabels: string[]; readonly alias?: Record<string, string>; readonly entry?: string },
): void {
  const eventTypes = writeEventTypes(outputDir);
  const declaredFields = writeDeclaredFields(outputDir);
  try {
    buildSync({
      ...BUNDLE_OPTIONS,
      // The bundle does not name its map, which Node would read at each start if a user enables source maps.
      sourcemap: "external",
      entryPoints: [entry],
      inject: ["functions/adapters/lambda/map-stack.ts"],
      outfile: join(outputDir, "index.js"),
      dropLabels,
      alias: {
        "@aws-sdk/credential-provider-node": "./functions/adapters/lambda/credentials.ts",
        "#event-types": eventTypes,
        "#declared-fields": declaredFields,
        ...alias,
      },
    });
  } finally {
    rmSync(eventTypes);
    rmSync(declaredFields);
  }
}

/**
 * Writes the module `#event-types` of a bundle: the files of catalog/, in the order of their versions. It exists only while
 * the bundle is built, so that adding an event type is adding one file and synthesis writes nothing into the sources.
 * @throws CatalogError
 */
function writeEventTypes(outputDir: string): string {
  const files = readCatalog("catalog").map(({ file }) => file);
  const imports = files.map((file, index) => `import * as type${index} from ${JSON.stringify(resolve(file))};\n`);
  const members = files.map((file, index) => `{ ...type${index}, file: ${JSON.stringify(file)} }`);
  const module = join(resolve(outputDir), "event-types.ts");
  mkdirSync(outputDir, { recursive: true });
  writeFileSync(module, `${imports.join("")}export const eventTypes = [${members.join(", ")}];\n`);
  return module;
}

/** Writes the module `#declared-fields` of a bundle: texts alone, so that it brings neither schemas nor their library. */
function writeDeclaredFields(outputDir: string): string {
  const module = join(resolve(outputDir), "declared-fields.ts");
  writeFileSync(module, `export const declaredFields = ${JSON.stringify(toDeclaredFields(readCatalog("catalog")))};\n`);
  return module;
}
