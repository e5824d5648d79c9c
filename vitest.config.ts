import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

// Workers and the commands that tests start load the same modules hundreds of times; this halves what that takes.
process.env["NODE_COMPILE_CACHE"] ??= resolve("node_modules/.cache/node-compile-cache");

/** Seconds; enough for the slowest test of a project on a machine that is busy with other things too. */
type Patience = { test: number; hook?: number };

type Options = {
  globalSetup?: string;
  setupFiles?: string;
  /** Files share the modules that their worker has loaded. Such a file leaves no stub, timer or hook behind. */
  isolate?: false;
};

/**
 * Projects by what a test touches: no network; virtual time, and very many events (in a real Postgres); real Postgres and queue; the template;
 * the whole flow failing; the runtime on this machine and the commands; the whole flow wherever it is deployed. Virtual
 * time, faults and `npm start` take long: `npm run test:long` runs them, and `npm test` the others.
 */
const project = (name: string, { test, hook = 240 }: Patience, options: Options = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: "node" as const,
    testTimeout: 1_000 * test,
    hookTimeout: 1_000 * hook,
    ...options,
  },
});

/** A project whose files wait for nothing: after the others, and on no more workers than the smallest machine has cores. */
const computing = (name: string, patience: Patience) => {
  const { test } = project(name, patience, { isolate: false });
  return { test: { ...test, maxWorkers: 2, sequence: { groupOrder: 1 } } };
};

export default defineConfig({
  test: {
    // More than the smallest machine has cores: most files wait for a batch window, a visibility timeout or a process.
    maxWorkers: 5,
    projects: [
      computing("unit", { test: 60 }),
      project("simulation", { test: 240 }, { globalSetup: "test/support/start-database-server.ts" }),
      project("contract", { test: 120 }, { globalSetup: "test/support/start-database-server.ts", isolate: false }),
      computing("stack", { test: 240 }),
      // A full run (npm run test:faults) takes minutes a case.
      project(
        "faults",
        { test: process.env["FAULTS"] === "full" ? 900 : 300 },
        { globalSetup: "test/faults/support/setup.ts" },
      ),
      project("local", { test: 240 }, { globalSetup: "test/support/prepare-runtime.ts", isolate: false }),
      // The operator's page in a browser, before the runtime on this machine.
      project("console", { test: 120 }, { globalSetup: "test/console/support/setup.ts" }),
      // `npm start` as a user runs it, also while files change, where each start and change is a synthesis; and limits under load.
      project("start", { test: 240 }, { globalSetup: "test/support/prepare-runtime.ts" }),
      project(
        "e2e",
        { test: 240 },
        { globalSetup: "test/e2e/setup.ts", setupFiles: "test/e2e/expect-gaps.ts", isolate: false },
      ),
    ],
  },
});
