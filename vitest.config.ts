import { defineConfig } from "vitest/config";

/** Projects by what a test touches: no network, real Postgres and queue, template, whole flow, the whole flow failing. */
const project = (name: string, options: { testTimeout: number; hookTimeout: number; globalSetup?: string }) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: "node" as const, ...options },
});

export default defineConfig({
  test: {
    // As many as the smallest machine has cores; most of them wait for a batch window or a process.
    maxWorkers: 2,
    projects: [
      project("unit", { testTimeout: 10_000, hookTimeout: 10_000 }),
      project("contract", { testTimeout: 30_000, hookTimeout: 60_000 }),
      project("stack", { testTimeout: 60_000, hookTimeout: 120_000 }),
      project("faults", {
        // A full run (npm run test:faults) takes minutes a case.
        testTimeout: process.env["FAULTS"] === "full" ? 900_000 : 90_000,
        hookTimeout: 120_000,
        globalSetup: "test/faults/support/setup.ts",
      }),
      project("e2e", { testTimeout: 90_000, hookTimeout: 120_000, globalSetup: "test/e2e/synthesize-once.ts" }),
    ],
  },
});
