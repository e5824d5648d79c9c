import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { schemas } from "../../functions/core/answer.ts";
import { createApiClient } from "../../scripts/access/api-client.ts";
import { findAdminKey } from "../../scripts/access/find-admin-key.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "../../scripts/stack-address.ts";

/**
 * `npm run test:e2e`: the end-to-end tests on a runtime of their own; with `--outputs outputs.json` on the stack that is
 * deployed there, with `--data-dir .localstack` on the one in an emulator. Other words go to vitest.
 */
const command = addStackOptions(new Command("npm run test:e2e --"))
  .description("Runs the end-to-end tests, on a stack that is deployed or on one of their own.")
  .argument("[words...]", "vitest's own words, for example the name of a file")
  .allowUnknownOption()
  .parse();
const options = command.opts<StackOptions>();
const isDeployed = options.outputs !== undefined || command.getOptionValueSource("dataDir") === "cli";
if (options.outputs !== undefined && options.stack === undefined) {
  const stacks = Object.keys(JSON.parse(readFileSync(options.outputs, "utf8")) as object);
  // For a moment these tests have the database refuse events.
  if (stacks.some((name) => name !== "Sluice-dev")) command.error(`Name the stack with --stack: ${stacks.join(", ")}.`);
}
const reporters = [
  ...(command.args.some((word) => word.startsWith("--reporter")) ? [] : ["--reporter=default"]),
  "--reporter=./test/e2e/gap-reporter.ts",
];
// Files would read each other's dead letters: there is one queue for all of them.
const oneFileAtATime = isDeployed ? ["--no-file-parallelism"] : [];
/** The keys with which the tests use a stack that is deployed; those of a stack on this machine are in its data folder. */
async function keysOfDeployed(): Promise<Record<string, string>> {
  const address = findStackAddress(options);
  const installationKey = await findAdminKey(address, {});
  const body = { tenant: "default", role: "admin", name: "npm run test:e2e", expires: "1h" };
  const made = await createApiClient(address.url, installationKey).call(
    { method: "POST", path: "/keys", body },
    schemas.MadeKey,
  );
  return { SLUICE_API_KEY: made.key, SLUICE_INSTALLATION_KEY: installationKey };
}

const keys = options.outputs === undefined ? {} : await keysOfDeployed();
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "--project", "e2e", ...reporters, ...oneFileAtATime, ...command.args],
  { stdio: "inherit", env: { ...process.env, ...keys, ...(isDeployed && { SLUICE_E2E: JSON.stringify(options) }) } },
);
process.exitCode = status ?? 1;
