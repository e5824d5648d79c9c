import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A plausible mistake: `replace` stands for the only occurrence of `find` in `file`. */
export type Sabotage = {
  name: string;
  file: string;
  find: string;
  replace: string;
  /** The test file that should fail; with `test`, only the tests whose title begins with it. */
  caughtBy: { file: string; test?: string };
};

export type Outcome =
  | { kind: "caught"; by: Failure; milliseconds: number }
  | { kind: "missed" }
  /** The copy could not run its tests, so the result is unknown. */
  | { kind: "broken"; why: string };

/** A test that failed, and the first line of its error: whether that is the mistake is for people to say. */
export type Failure = { test: string; why: string };

/** A copy of the project for breaking; it shares the packages of the project. */
export type Copy = {
  /** Runs tests and resolves to the failed ones. @throws Error if no test ran */
  run: (tests: Sabotage["caughtBy"]) => Promise<Failure[]>;
  apply: (sabotage: Sabotage) => Promise<void>;
  undo: (sabotage: Sabotage) => Promise<void>;
  remove: () => Promise<void>;
};

/** The folders and files that the tests need. */
const PARTS = [
  "bin",
  "lib",
  "catalog",
  "console",
  "functions",
  "localstack",
  "scripts",
  "cli",
  "bench",
  "test",
  "docs",
];
const FILES = ["package.json", "package-lock.json", "tsconfig.json", "vitest.config.ts", "cdk.json", "README.md"];

export async function copyProject(): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-sabotage-"));
  for (const part of [...PARTS, ...FILES]) await cp(part, join(folder, part), { recursive: true });
  await symlink(resolve("node_modules"), join(folder, "node_modules"), "dir");
  const original = new Map<string, string>();
  return {
    async run({ file, test }) {
      const report = join(folder, "report.json");
      const filter = test === undefined ? [] : ["--testNamePattern", test];
      // Remove the report of the previous run, so that a run without a report fails.
      await rm(report, { force: true });
      await runVitest(folder, [file, ...filter, "--bail=1", "--reporter=json", `--outputFile=${report}`]);
      return failures(JSON.parse(await readFile(report, "utf8")) as JsonReport);
    },
    async apply(sabotage) {
      const path = join(folder, sabotage.file);
      const text = await readFile(path, "utf8");
      original.set(sabotage.file, text);
      await writeFile(path, sabotaged(text, sabotage));
    },
    undo: ({ file }) => writeFile(join(folder, file), original.get(file) ?? ""),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Puts the mistake into the text of its file. @throws Error unless `find` occurs exactly once */
export function sabotaged(text: string, { name, file, find, replace }: Sabotage): string {
  const places = text.split(find).length - 1;
  if (places !== 1)
    throw new Error(
      `"${name}": ${file} has the text ${places} times, not once. The code has changed: update the list.`,
    );
  return text.replace(find, () => replace);
}

type JsonReport = {
  numTotalTests: number;
  numPassedTests: number;
  testResults: {
    name: string;
    message: string;
    status: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
};

/** Lists the failed tests. @throws Error if a test file could not be set up, or no test ran */
function failures({ numPassedTests, testResults }: JsonReport): Failure[] {
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages: [message = ""] }) => ({
        test: fullName,
        why: message.split("\n", 1)[0] ?? "",
      })),
  );
  const broken = testResults.find(({ status, message }) => status === "failed" && message !== "");
  if (failed.length === 0 && broken !== undefined) throw new Error(`set-up: ${broken.message.split("\n", 1)[0]}`);
  if (failed.length === 0 && numPassedTests === 0) throw new Error("no test ran");
  return failed;
}

function runVitest(folder: string, words: string[]): Promise<void> {
  const vitest = resolve("node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", ...words], { cwd: folder, stdio: "ignore" });
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("exit", () => done());
  });
}
