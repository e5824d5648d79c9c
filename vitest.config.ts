import { defineConfig } from "vitest/config";

/**
 * Projects by what a test touches: no network, real Postgres and queue, template, the whole flow failing, the runtime on
 * this machine and the commands, and the whole flow wherever it is deployed.
 */
const project = (
  name: string,
  options: { testTimeout: number; hookTimeout: number; globalSetup?: string; setupFiles?: string },
) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: "node" as const, ...options },
});

export default defineConfig({
  test: {
    // As many as the smallest machine has cores; most of them wait for a batch window or a process.
    maxWorkers: 2,
    projects: [
      project("unit", { testTimeout: 10_000, hookTimeout: 10_000 }),
      project("contract", {
        testTimeout: 30_000,
        hookTimeout: 60_000,
        globalSetup: "test/support/start-database-server.ts",
      }),
      project("stack", { testTimeout: 60_000, hookTimeout: 120_000 }),
      project("faults", {
        // A full run (npm run test:faults) takes minutes a case.
        testTimeout: process.env["FAULTS"] === "full" ? 900_000 : 90_000,
        hookTimeout: 120_000,
        globalSetup: "test/faults/support/setup.ts",
      }),
      project("local", { testTimeout: 90_000, hookTimeout: 120_000, globalSetup: "test/support/prepare-runtime.ts" }),
      project("e2e", {
        // A deployed stack is farther away.
        testTimeout: process.env["SLUICE_E2E"] === undefined ? 90_000 : 240_000,
        hookTimeout: 120_000,
        globalSetup: "test/e2e/setup.ts",
        setupFiles: "test/e2e/expect-gaps.ts",
      }),
    ],
  },
});
