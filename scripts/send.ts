import { Command } from "commander";
import { forEachConcurrently } from "../functions/core/for-each-concurrently.ts";
import { REQUEST_MAX_EVENTS } from "../functions/core/limits.ts";
import { exitCodes, positiveInteger, runCommand } from "./command.ts";
import { type EventLine, intoRequests, readEventLines } from "./event-lines.ts";
import { type LineOutcome, postEvents } from "./post-events.ts";
import { startProgress } from "./progress.ts";
import { createReadBack, type ReadBack } from "./read-back.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & { url?: string; batch: number; connections: number; readBack?: true };

const command = new Command("npm run send --")
  .description("Posts the events of a file, one JSON object a line, and reports what became of each.")
  .argument("<file>", "newline-delimited JSON, or - for stdin")
  .option("--url <url>", "the API's URL (default: that of the local runtime)")
  .option("--batch <n>", "events per request", positiveInteger("--batch"), 100)
  .option("--connections <n>", "requests at once", positiveInteger("--connections"), 4)
  .option("--read-back", "then waits until each accepted event is stored, and compares it with what was sent");
addStackOptions(command)
  .addHelpText(
    "after",
    `\nExit codes: 0 all events accepted (and read back equal), 1 some were not, 2 nothing could be sent.`,
  )
  .action(send);

async function send(file: string, options: Options): Promise<void> {
  if (options.batch > REQUEST_MAX_EVENTS)
    throw new Error(`--batch takes at most ${REQUEST_MAX_EVENTS}, the API's limit.`);
  const url = options.url?.replace(/\/$/, "") ?? findStackAddress(options).url;
  const { lines, bad } = await readEventLines(file);
  const progress = startProgress(lines.length, "events");
  const started = performance.now();
  const requests = intoRequests(lines, options.batch);
  const outcomes: LineOutcome[] = bad.map((each) => ({ ...each, status: "invalid" }));
  await forEachConcurrently(requests, options.connections, async (request) => {
    outcomes.push(...(await postEvents(url, request, (why) => process.stderr.write(`${why}\n`))));
    progress.advance(request.length);
  });
  progress.stop();
  report(outcomes, performance.now() - started);
  if (options.readBack) await readAllBack(url, lines, outcomes, options.connections);
}

async function readAllBack(url: string, lines: EventLine[], outcomes: LineOutcome[], connections: number) {
  const accepted = new Set(outcomes.filter(({ status }) => status === "accepted").map(({ line }) => line));
  const sent = lines.filter(({ line }) => accepted.has(line));
  const progress = startProgress(sent.length, "events read back");
  const all: ReadBack[] = [];
  const readBack = createReadBack(url);
  await forEachConcurrently(sent, connections, async (each) => {
    all.push(await readBack(each));
    progress.advance(1);
  });
  progress.stop();
  const faults = all.filter(({ isEqual }) => !isEqual);
  list(faults.map(({ line, why }) => ({ line, text: why })));
  process.stdout.write(`${accepted.size - faults.length} of ${accepted.size} accepted events read back equal\n`);
  if (faults.length > 0) process.exitCode = exitCodes.incomplete;
}

/** Lines with a fault that are listed; the others are counted. */
const MAX_LISTED = 20;

function report(outcomes: LineOutcome[], milliseconds: number): void {
  const count = (status: LineOutcome["status"]) => outcomes.filter((each) => each.status === status).length;
  const faults = outcomes.filter(({ status }) => status === "invalid" || status === "unsent");
  list(faults.map(({ line, status, why }) => ({ line, text: `${status}: ${why}` })));
  const unchecked = outcomes.filter((each) => each.unchecked).length;
  if (unchecked > 0) process.stderr.write(`${unchecked} events unchecked: the catalog does not have their type\n`);
  const tally = (["accepted", "duplicate", "invalid", "unsent"] as const).map((status) => `${count(status)} ${status}`);
  process.stdout.write(`${outcomes.length} events: ${tally.join(", ")} in ${(milliseconds / 1_000).toFixed(1)} s\n`);
  process.exitCode = faults.length === 0 ? exitCodes.done : exitCodes.incomplete;
}

function list(faults: { line: number; text: string }[]): void {
  const sorted = faults.toSorted((a, b) => a.line - b.line);
  for (const { line, text } of sorted.slice(0, MAX_LISTED)) process.stderr.write(`line ${line} ${text}\n`);
  if (faults.length > MAX_LISTED) process.stderr.write(`and ${faults.length - MAX_LISTED} more\n`);
}

await runCommand(command);
