import { Command } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { userPath } from "../cli/npm.ts";
import { positiveInteger } from "../cli/option-values.ts";
import { pluralize } from "../cli/pluralize.ts";
import { printable } from "../cli/printable.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { toTable } from "../cli/to-table.ts";
import { DEAD_LETTER_STATES } from "../functions/core/dead-letter-table.ts";
import { forEachConcurrently } from "../functions/core/for-each-concurrently.ts";
import { parseLossless } from "../functions/core/lossless-json.ts";
import { DEAD_LETTER_ID } from "../functions/core/replay-job.ts";
import { createApiClient } from "./access/api-client.ts";
import { print } from "./access/output.ts";
import { createDeadLettersApi, type DeadLetter, type Row } from "./dead-letters/dead-letters-api.ts";
import { toEventLine } from "./dead-letters/event-line.ts";
import {
  addFilterOptions,
  addTenantOption,
  FILTER_HELP,
  type FilterOptions,
  KEY_HELP,
  toQuery,
  toSelection,
} from "./dead-letters/filter-options.ts";
import { openLineFile } from "./dead-letters/line-file.ts";
import { reasonOf, TABLE_HEAD, toCells, toLine } from "./dead-letters/render.ts";
import { createReplaysApi } from "./replay/replays-api.ts";
import { printPlan, printReplay, watch } from "./replay/watch.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, stackFlags, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & FilterOptions & { json?: true };
type DiscardOptions = Options & { note: string; dryRun?: true; limit?: number };

const command = new Command("npm run dead-letters --")
  .description("Shows the dead letters and their reasons, and gives them up.")
  .addHelpText(
    "after",
    `${KEY_HELP}
Dead letters are sent to the queue again with \`npm run replay\`.

Exit codes: 0 done, 1 a named dead letter was not found or not everything was done, 2 refused or not possible.`,
  );

const list = command.command("list").description("one line an event, newest first").action(listEvents);
const group = command.command("group").description("the number of events by reason and message").action(groupEvents);
const show = command
  .command("show")
  .argument("<id>", "of an event or a dead letter")
  .description("everything known of a dead letter, with its body and its replays")
  .action(showDeadLetter);
const exporting = command
  .command("export")
  .argument("<file>", "newline-delimited JSON, or - for stdout")
  .description("one event a line, to be corrected and given to `npm run replay -- --edits`")
  .action(exportEvents);
const discard = command
  .command("discard")
  .description("gives dead letters up for good; the audit log keeps why")
  .requiredOption("--note <text>", "why they are given up")
  .option("--limit <n>", "at most this many events, the oldest first", positiveInteger("--limit"))
  .option("--dry-run", "only count the events, and show the first of them")
  .action(discardEvents);
for (const each of [list, exporting, discard])
  each.option("--filter <json>", "only events that a filter matches; docs/filters.md has the language");
for (const each of [list, group, discard]) each.option("--json", "JSON, of a list one object a line");
for (const each of [list, group, exporting, discard]) addFilterOptions(each).addHelpText("after", FILTER_HELP);
for (const each of [list, group, show, exporting, discard]) addStackOptions(addTenantOption(each));

function open(options: Options) {
  const { url, apiKey } = findStackAddress(options);
  const api = createApiClient(url, findKey(apiKey));
  return { deadLetters: createDeadLettersApi(api, options.tenant), replays: createReplaysApi(api, options.tenant) };
}

async function listEvents(options: Options): Promise<void> {
  const signal = onInterrupt();
  const rows: Row[] = [];
  for await (const row of find(options, signal)) {
    if (options.json) print(JSON.stringify(row));
    else if (!process.stdout.isTTY) print(toLine(row));
    rows.push(row);
  }
  if (!options.json && process.stdout.isTTY && rows.length > 0)
    print(toTable(TABLE_HEAD, rows.map(toCells), process.stdout.columns));
  process.stderr.write(`${signal.aborted ? "At least " : ""}${pluralize(rows.length, "event")}\n`);
  if (signal.aborted) process.exitCode = exitCodes.incomplete;
}

/** The open dead letters that the options choose. */
async function* find(options: Options, signal: AbortSignal): AsyncGenerator<Row> {
  const { deadLetters } = open(options);
  yield* deadLetters.list({ ...toSelection(options, Date.now()), state: "open" }, signal);
}

async function groupEvents(options: Options): Promise<void> {
  const groups = await open(options).deadLetters.groups({ ...toQuery(options, Date.now()), state: "open" });
  if (options.json) {
    for (const each of groups) print(JSON.stringify(each));
    return;
  }
  const rows = groups.map((each) => [
    String(each.count),
    reasonOf(each),
    each.message,
    each.types.join(" "),
    each.firstSeen,
  ]);
  print(toTable(["EVENTS", "REASON", "MESSAGE", "TYPES", "SINCE"], rows, Number.POSITIVE_INFINITY));
}

async function showDeadLetter(id: string, options: Options): Promise<void> {
  const { deadLetters } = open(options);
  if (DEAD_LETTER_ID.test(id)) return print(describe(await deadLetters.read(id)));
  let found = 0;
  for await (const row of deadLetters.list(
    { filter: { exact: { id } }, state: [...DEAD_LETTER_STATES] },
    onInterrupt(),
  )) {
    found += 1;
    print(describe(await deadLetters.read(row.id)));
  }
  if (found > 0) return;
  process.stderr.write(`No dead letter has the id ${printable(id)}; \`list\` shows those that exist\n`);
  process.exitCode = exitCodes.incomplete;
}

/** Dead letters that are read at once for a file. */
const READS_AT_ONCE = 8;

async function exportEvents(name: string, options: Options): Promise<void> {
  const path = name === "-" ? name : userPath(name);
  const signal = onInterrupt();
  const file = openLineFile(path);
  let [events, unreadable] = [0, 0];
  try {
    const rows: Row[] = [];
    for await (const row of find(options, signal)) rows.push(row);
    const { deadLetters } = open(options);
    await forEachConcurrently(rows, READS_AT_ONCE, async ({ id }) => {
      const line = signal.aborted ? undefined : toEventLine(await deadLetters.read(id));
      if (line === undefined) unreadable += 1;
      else file.add(line);
      events += line === undefined ? 0 : 1;
    });
    if (signal.aborted) {
      await file.discard();
      process.stderr.write(`${path} was not written, because not everything was read\n`);
      process.exitCode = exitCodes.incomplete;
      return;
    }
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  process.stderr.write(`${pluralize(events, "event")} written to ${path}\n`);
  if (unreadable > 0)
    process.stderr.write(`${pluralize(unreadable, "unreadable message")} left out; \`show\` prints the body\n`);
}

async function discardEvents(options: DiscardOptions): Promise<void> {
  const { note, limit, dryRun, json } = options;
  const { replays } = open(options);
  const body = { ...toSelection(options, Date.now()), note, limit };
  if (dryRun) return printPlan(await replays.plan("/dead-letters/discard", body), { json, done: "discarded" });
  const signal = onInterrupt();
  const started = await replays.start("/dead-letters/discard", body);
  const flags = `${options.tenant === undefined ? "" : ` --tenant ${options.tenant}`}${stackFlags(options)}`;
  const again = `To end it: npm run replay -- --cancel ${started.id}${flags}`;
  printReplay(await watch(replays, started, signal), { json, again });
}

/** The facts of a dead letter, its replays, then its content. */
function describe({ body, history, isEvent: _isEvent, ...facts }: DeadLetter): string {
  const lines = Object.entries(facts)
    .filter(([, value]) => value !== null)
    // PostgreSQL's message may have several lines.
    .flatMap(([label, value]) =>
      String(value)
        .split("\n")
        .map((line, index) => (index === 0 ? label : "").padEnd(LABEL_WIDTH) + line),
    );
  const replays = history.map((replay) => `${"replay".padEnd(LABEL_WIDTH)}${JSON.stringify(replay)}`);
  return [...lines, ...replays, "", ...toText(body).split("\n"), ""].map(printable).join("\n");
}

const LABEL_WIDTH = "receivedAt".length + 2;

/** JSON with all its digits; any other text as it is. */
function toText(body: string): string {
  try {
    return JSON.stringify(parseLossless(body).lossless, undefined, 2);
  } catch {
    return body;
  }
}

await runCommand(command);
