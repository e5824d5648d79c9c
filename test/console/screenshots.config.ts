import { defineConfig } from "vitest/config";

/** `npm run screenshots`: it writes files of docs/console/, so it is no project of `npm test`. */
export default defineConfig({
  test: {
    name: "screenshots",
    include: ["test/console/take-screenshots.ts"],
    environment: "node",
    globalSetup: "test/console/support/setup.ts",
    testTimeout: 600_000,
    hookTimeout: 240_000,
  },
});
