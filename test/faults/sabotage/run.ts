import { seconds, writeBlock } from "../support/reliability-page.ts";
import { sabotages } from "./list.ts";
import { copyProject, type Copy, type Outcome, type Sabotage } from "./sabotage.ts";

/**
 * `npm run sabotage [-- name …]` breaks a copy of the project in one place at a time and runs the tests that should fail.
 * Exits with 1 if a mistake stays unnoticed.
 */
const wanted = process.argv.slice(2);
const list = sabotages.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const copy = await copyProject();
process.once("SIGINT", () => void copy.remove().then(() => process.exit(130)));
try {
  const rows = await sabotageAll(copy);
  const missed = rows.filter(({ outcome }) => outcome.kind !== "caught");
  process.stdout.write(`${rows.length - missed.length} of ${rows.length} sabotages caught\n`);
  if (missed.length > 0) process.exitCode = 1;
  else if (wanted.length === 0) writeBlock("sabotage", table(rows));
} finally {
  await copy.remove();
}

type Row = { sabotage: Sabotage; outcome: Outcome };

async function sabotageAll(copy: Copy): Promise<Row[]> {
  const rows: Row[] = [];
  const green = new Set<string>();
  for (const sabotage of list) {
    const outcome = await outcomeOf(copy, sabotage, green).catch(
      (error: unknown): Outcome => ({ kind: "broken", why: String(error) }),
    );
    process.stdout.write(`${describe(outcome)}  ${sabotage.name}\n`);
    rows.push({ sabotage, outcome });
  }
  return rows;
}

async function outcomeOf(copy: Copy, sabotage: Sabotage, green: Set<string>): Promise<Outcome> {
  return (await checkGreen(copy, sabotage, green)) ?? (await runSabotaged(copy, sabotage));
}

/** Runs each test once on the unchanged code, because a test that fails anyway proves nothing. */
async function checkGreen(copy: Copy, { caughtBy }: Sabotage, green: Set<string>): Promise<Outcome | undefined> {
  const key = JSON.stringify(caughtBy);
  if (green.has(key)) return undefined;
  const failed = await copy.run(caughtBy);
  if (failed.length > 0) return { kind: "broken", why: `red without the sabotage: ${failed[0]}` };
  green.add(key);
  return undefined;
}

async function runSabotaged(copy: Copy, sabotage: Sabotage): Promise<Outcome> {
  await copy.apply(sabotage);
  const started = performance.now();
  try {
    const [by] = await copy.run(sabotage.caughtBy);
    return by === undefined ? { kind: "missed" } : { kind: "caught", by, milliseconds: performance.now() - started };
  } finally {
    await copy.undo(sabotage);
  }
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case "caught":
      return `caught in ${seconds(outcome.milliseconds)}`;
    case "missed":
      return "MISSED";
    case "broken":
      return `BROKEN (${outcome.why})`;
  }
}

function table(rows: Row[]): string {
  const cells = rows.map(({ sabotage: { name, file }, outcome }) =>
    outcome.kind === "caught" ? `| ${name} | ${file} | ${outcome.by} |` : "",
  );
  return [
    `${rows.length} of ${rows.length} caught.`,
    "",
    "| Mistake | In | Caught by |",
    "|---|---|---|",
    ...cells,
  ].join("\n");
}
