import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { REQUEST_MAX_EVENTS } from "../../functions/core/limits.ts";
import { positiveInteger } from "../../cli/option-values.ts";
import { runCommand } from "../../cli/run-command.ts";
import { onInterrupt } from "../../cli/interrupt.ts";
import { type CostReport, costPerMillion, invocationsOf } from "./cost-per-million.ts";
import { renderMemory, renderPage, renderReport, withMemory } from "./render.ts";

type Options = {
  eventBytes: number;
  batch: number[];
  rate: number;
  seconds: number;
  json?: true;
  write?: true;
  memory?: true;
};

const PAGE = "docs/cost.md";

const command = new Command("npm run cost --")
  .description("Computes what AWS bills for a million events, from a counted run. Takes a minute for each --batch.")
  .option("--event-bytes <n>", "JSON bytes of one event", positiveInteger("--event-bytes"), 1024)
  .option("--batch <n...>", "events per request; each value makes a table", batches, [100])
  .option("--rate <n>", "events per second", positiveInteger("--rate"), 1000)
  .option("--seconds <n>", "duration of each counted run", positiveInteger("--seconds"), 10)
  .option("--memory", "compare the sizes of memory of the functions alone")
  .option("--json", "print the reports as JSON")
  .option("--write", `write ${PAGE}`)
  .action(cost);

async function cost({ batch, json, write, memory, ...shape }: Options): Promise<void> {
  const tooMany = batch.find((each) => each > REQUEST_MAX_EVENTS);
  if (tooMany !== undefined) throw new Error(`--batch takes at most ${REQUEST_MAX_EVENTS}, the API's limit.`);
  const reports: CostReport[] = [];
  const signal = onInterrupt();
  if (memory) {
    const runs = [];
    for (const each of batch)
      runs.push({ batch: each, invocations: await invocationsOf({ ...shape, batch: each }, signal) });
    const table = renderMemory(runs, machine());
    process.stdout.write(`${json ? JSON.stringify(runs, undefined, 2) : table}\n`);
    if (write) await writeFile(PAGE, withMemory(await readFile(PAGE, "utf8"), table));
    return;
  }
  for (const each of batch) reports.push(await costPerMillion({ ...shape, batch: each }, signal));
  if (json) process.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
  else process.stdout.write(`${reports.map(renderReport).join("\n\n")}\n`);
  if (write)
    await writeFile(PAGE, renderPage(reports, { date: new Date().toISOString().slice(0, 10), machine: machine() }));
}

function machine(): string {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  return `commit ${commit}, Node ${process.versions.node}, ${process.platform} ${process.arch}, ${availableParallelism()} processors`;
}

/** Commander passes one value at a time; the first replaces the default. */
function batches(text: string, before: number[] & { given?: true }): number[] {
  return Object.assign([...(before.given ? before : []), positiveInteger("--batch")(text)], { given: true as const });
}

await runCommand(command);
