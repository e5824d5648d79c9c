import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** Builds the functions as they might be after a change of the envelope: they write and read only the next version. */
export async function buildNextVersion(name: "ingest" | "consume", outputDir: string): Promise<void> {
  await build({
    entryPoints: [join("functions", name, "handler.ts")],
    outfile: join(outputDir, "index.js"),
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    logLevel: "warning",
    plugins: [
      {
        name: "next version",
        setup({ onLoad, onResolve }) {
          // Without event types: the fault's own type is in no catalog.
          onResolve({ filter: /^#event-types$/ }, ({ path }) => ({ path, namespace: "empty" }));
          onLoad({ filter: /./, namespace: "empty" }, () => ({ contents: "export const eventTypes = [];" }));
          onLoad({ filter: /core[\\/]envelope\.ts$/ }, ({ path }) => ({ contents: raised(path), loader: "ts" }));
        },
      },
    ],
  });
}

function raised(path: string): string {
  const source = readFileSync(path, "utf8");
  const next = source.replace(
    /ENVELOPE_VERSION = (\d+);/,
    (_, version: string) => `ENVELOPE_VERSION = ${Number(version) + 1};`,
  );
  if (next === source) throw new Error(`${path} has no ENVELOPE_VERSION.`);
  return next;
}
