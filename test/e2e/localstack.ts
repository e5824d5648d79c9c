import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";

/**
 * `npm run test:localstack`: starts an emulator on a free port, deploys the app into it, runs the end-to-end tests there
 * and ends it, also when it is interrupted itself.
 */
const command = new Command("npm run test:localstack --")
  .description("Runs the end-to-end tests in an emulator that is started for them.")
  .option("--emulator <name>", "which one (default: the one that is there)")
  .argument("[words...]", "vitest's own words, for example the name of a file")
  .allowUnknownOption()
  .parse();
const { emulator } = command.opts<{ emulator?: string }>();

/** The emulator's start, and its deployment: an emulator may wait an hour for a function that failed to answer it. */
const DEPLOYED_WITHIN_MS = 10 * 60_000;
/** The tests, which run file by file: twice what they take in LocalStack on 2 cores. */
const TESTED_WITHIN_MS = 30 * 60_000;

const folder = mkdtempSync(join(tmpdir(), "sluice-localstack-"));
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupted.abort());

process.exitCode = 1;
const localstack = (...words: string[]) => run("localstack/emulator.ts", words, interrupted.signal);
const isUp = await localstack("up", "--port", "0", ...(emulator === undefined ? [] : ["--emulator", emulator]));
if (isUp) {
  if (await localstack("deploy", "--allow-http-sinks")) {
    if (await run("test/e2e/run.ts", command.args, interrupted.signal, TESTED_WITHIN_MS)) process.exitCode = 0;
  } else {
    await localstack("logs", "--emulator");
    await localstack("logs");
  }
}
// An `up` that was interrupted may have started something.
const isDown = await run("localstack/emulator.ts", ["down"], new AbortController().signal);
if (isUp && !isDown) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });

/** Runs a file to its end, or ends it and what it started; true if it ended with 0. */
async function run(
  file: string,
  words: string[],
  signal: AbortSignal,
  withinMs = DEPLOYED_WITHIN_MS,
): Promise<boolean> {
  if (signal.aborted) return false;
  const child = spawn(process.execPath, [file, ...words, "--data-dir", join(folder, "data")], {
    stdio: ["ignore", "inherit", "inherit"],
    // A group of its own, with what it starts.
    detached: true,
  });
  const end = () => endGroup(child);
  signal.addEventListener("abort", end, { once: true });
  const timer = setTimeout(() => {
    console.error(`${file} was ended after ${withinMs / 60_000} minutes.`);
    end();
  }, withinMs);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  return code === 0;
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGTERM");
  } catch {
    // It has ended meanwhile.
  }
}
