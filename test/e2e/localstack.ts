import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `npm run test:localstack`: starts an emulator on a free port, deploys the app into it, runs the end-to-end tests there
 * and ends it. The words go to vitest.
 */
const folder = mkdtempSync(join(tmpdir(), "sluice-localstack-"));
const dataDir = join(folder, "data");
const run = (file: string, ...words: string[]) =>
  spawnSync(process.execPath, [file, ...words, "--data-dir", dataDir], { stdio: "inherit", timeout: WITHIN_MS }).status;
const localstack = (...words: string[]) => run("localstack/emulator.ts", ...words);

/** An emulator may wait an hour for a function that failed to answer the deployment. */
const WITHIN_MS = 10 * 60_000;

process.exitCode = 1;
if (localstack("up", "--port", "0") === 0) {
  if (localstack("deploy") === 0) process.exitCode = run("test/e2e/run.ts", ...process.argv.slice(2)) ?? 1;
  else localstack("logs", "--emulator");
  if (localstack("down") !== 0) process.exitCode = 1;
}
rmSync(folder, { recursive: true, force: true });
