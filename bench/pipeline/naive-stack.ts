import { join } from "node:path";
import { buildSync } from "esbuild";
import { BUNDLE_OPTIONS } from "../../lib/bundle-options.ts";
import type { StackModel } from "../../localstack/template/model.ts";
import type { FunctionRole } from "./operations.ts";

/** The usual event source, which is Lambda's default: ten messages per batch and no window. */
const BATCH_MESSAGES = 10;
const WINDOW_SECONDS = 0;

/** The table of the naive consumer: the same columns, and one primary key. */
export const CREATE_NAIVE_EVENTS = `
  create table naive_events (
    id text primary key,
    source text not null,
    type text not null,
    subject text,
    time timestamptz not null,
    received_at timestamptz not null,
    stored_at timestamptz not null default clock_timestamp(),
    data jsonb
  )
`;

/** Bundles each naive function into a folder of its name, with the options of Sluice's functions (lib/bundle.ts). */
export function bundleNaive(folder: string): void {
  for (const role of ["ingest", "consume"] satisfies FunctionRole[]) {
    buildSync({
      ...BUNDLE_OPTIONS,
      entryPoints: [join(import.meta.dirname, "..", "naive", `${role}.ts`)],
      outfile: join(folder, role, "index.js"),
    });
  }
}

/**
 * Replaces the functions of the template by the naive ones. Memory, timeouts, queue and the maximum of concurrent consumers
 * stay the same, so that only the pattern differs.
 */
export function naiveStack(stack: StackModel, bundles: string, roleOf: (arn: string) => FunctionRole | undefined) {
  return {
    ...stack,
    functions: stack.functions.map((model) => {
      const role = roleOf(model.arn);
      return role === undefined ? model : { ...model, assetPath: join(bundles, role) };
    }),
    eventSources: stack.eventSources.map((mapping) => ({
      ...mapping,
      batchSize: BATCH_MESSAGES,
      windowSeconds: WINDOW_SECONDS,
    })),
  };
}
