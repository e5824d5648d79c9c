import { defineConfig } from "vitest/config";

/** `npm run soak`: too long for `npm test`, so it is no project of it. */
export default defineConfig({
  test: {
    name: "soak",
    include: ["test/soak/*.test.ts"],
    environment: "node",
    globalSetup: "test/faults/support/setup.ts",
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
  },
});
