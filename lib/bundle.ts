import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { buildSync } from "esbuild";
import type { FunctionName } from "../functions/core/functions.ts";
import { BUNDLE_OPTIONS } from "./bundle-options.ts";
import { toDeclaredFields } from "../functions/core/declared-fields.ts";
import { allowedMethods } from "./allowed-methods.ts";
import { readCatalog } from "./read-catalog.ts";

/**
 * Bundles a function's handler into one CommonJS file with nothing external, and copies folders and files beside it;
 * `addFiles` writes others.
 * CommonJS starts some 10 ms sooner than a module. esbuild runs in this process, because `NodejsFunction` starts it through
 * `npx`: half a second for each function, at every start and reload of the local runtime.
 */
export function bundleHandler(
  name: FunctionName,
  copies: readonly string[],
  addFiles?: (outputDir: string) => void,
): Code {
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
          addFiles?.(outputDir);
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
 * @param alias packages and their replacements, besides those of parts of the SDK that never run in Lambda
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
  const modules = writeModules(outputDir);
  try {
    buildSync({
      ...BUNDLE_OPTIONS,
      // The bundle does not name its map, which Node would read at each start if a user enables source maps.
      sourcemap: "external",
      entryPoints: [entry],
      inject: ["functions/adapters/lambda/map-stack.ts"],
      outfile: join(outputDir, "index.js"),
      dropLabels,
      alias: { ...REPLACEMENTS, ...modules, ...alias },
    });
  } finally {
    for (const file of Object.values(modules)) rmSync(file);
  }
}

/** Parts of the SDK that never run in Lambda, and their replacements: two fifths of the code of the clients of ingest. */
const REPLACEMENTS = {
  "@aws-sdk/credential-provider-node": "./functions/adapters/lambda/credentials.ts",
  "@smithy/core/event-streams": "./functions/adapters/lambda/event-streams.ts",
};

/**
 * Writes the modules of a bundle that are made of other sources. They exist only while the bundle is built, so that adding
 * an event type is adding one file and synthesis writes nothing into the sources. All but the event types are texts alone,
 * which bring neither schemas nor their library.
 * @returns the files by the names of the modules
 * @throws CatalogError
 */
function writeModules(outputDir: string): Record<string, string> {
  const catalog = readCatalog("catalog");
  const texts = {
    "event-types": eventTypesText(catalog.map(({ file }) => file)),
    "declared-fields": `export const declaredFields = ${JSON.stringify(toDeclaredFields(catalog))};\n`,
    "allowed-methods": `export const allowedMethods = ${JSON.stringify(allowedMethods)};\n`,
  };
  mkdirSync(outputDir, { recursive: true });
  const modules = Object.entries(texts).map(([name, text]) => {
    const file = join(resolve(outputDir), `${name}.ts`);
    writeFileSync(file, text);
    return [`#${name}`, file];
  });
  return Object.fromEntries(modules) as Record<string, string>;
}

/** Imports the files of catalog/, in the order of their versions. */
function eventTypesText(files: string[]): string {
  const imports = files.map((file, index) => `import * as type${index} from ${JSON.stringify(resolve(file))};\n`);
  const members = files.map((file, index) => `{ ...type${index}, file: ${JSON.stringify(file)} }`);
  return `${imports.join("")}export const eventTypes = [${members.join(", ")}];\n`;
}
