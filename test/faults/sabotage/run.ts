import { seconds, writeBlock } from "../support/reliability-page.ts";
import { sabotages } from "./list.ts";
import { copyProject, type Copy, type Failure, type Outcome, type Sabotage } from "./sabotage.ts";

/**
 * `npm run sabotage [-- name …]` breaks a copy of the project in one place at a time and runs the tests that should fail.
 * Exits with 1 if a mistake stays unnoticed.
 */
const wanted = process.argv.slice(2);
/** Copies of the project that are broken at once: most tests that should fail wait for an event that never comes. */
const COPIES = 3;
const list = sabotages.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const copies = await Promise.all(Array.from({ length: Math.min(COPIES, list.length) }, copyProject));
const removeAll = () => Promise.all(copies.map((copy) => copy.remove()));
process.once("SIGINT", () => void removeAll().then(() => process.exit(130)));
try {
  const rows = await sabotageAll(copies);
  const missed = rows.filter(({ outcome }) => outcome.kind !== "caught");
  process.stdout.write(`${rows.length - missed.length} of ${rows.length} sabotages caught\n`);
  if (missed.length > 0) process.exitCode = 1;
  else if (wanted.length === 0) writeBlock("sabotage", table(rows));
} finally {
  await removeAll();
}

type Row = { sabotage: Sabotage; outcome: Outcome };

async function sabotageAll(copies: Copy[]): Promise<Row[]> {
  const outcomes = new Map<Sabotage, Outcome>();
  const green = new Map<string, Promise<Failure[]>>();
  const open = [...list];
  const worker = async (copy: Copy) => {
    for (let sabotage = open.shift(); sabotage !== undefined; sabotage = open.shift()) {
      const outcome = await outcomeOf(copy, sabotage, green).catch(
        (error: unknown): Outcome => ({ kind: "broken", why: String(error) }),
      );
      process.stdout.write(`${describe(outcome)}  ${sabotage.name}\n`);
      outcomes.set(sabotage, outcome);
    }
  };
  await Promise.all(copies.map(worker));
  return list.map((sabotage) => ({ sabotage, outcome: outcomes.get(sabotage) as Outcome }));
}

/** Runs each test once on the unchanged code first, because a test that fails anyway proves nothing. */
async function outcomeOf(copy: Copy, sabotage: Sabotage, green: Map<string, Promise<Failure[]>>): Promise<Outcome> {
  const key = JSON.stringify(sabotage.caughtBy);
  const unchanged = green.get(key) ?? copy.run(sabotage.caughtBy);
  green.set(key, unchanged);
  const [red] = await unchanged;
  return red === undefined
    ? runSabotaged(copy, sabotage)
    : { kind: "broken", why: `red without the sabotage: ${red.test}: ${red.why}` };
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
      return `caught in ${seconds(outcome.milliseconds)} (${outcome.by.why})`;
    case "missed":
      return "MISSED";
    case "broken":
      return `BROKEN (${outcome.why})`;
  }
}

function table(rows: Row[]): string {
  const cells = rows.map(({ sabotage: { name, file }, outcome }) =>
    outcome.kind === "caught" ? `| ${name} | ${file} | ${outcome.by.test} |` : "",
  );
  return [
    `${rows.length} of ${rows.length} caught.`,
    "",
    "| Mistake | In | Caught by |",
    "|---|---|---|",
    ...cells,
  ].join("\n");
}
