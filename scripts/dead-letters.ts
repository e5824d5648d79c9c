import { Command, Option } from "commander";
import { parseLossless } from "../functions/core/lossless-json.ts";
import { exitCodes, runCommand } from "./command.ts";
import { onInterrupt } from "./interrupt.ts";
import { toEventLine } from "./dead-letters/event-line.ts";
import { openLineFile } from "./dead-letters/export.ts";
import {
  addFilterOptions,
  createIdCheck,
  FILTER_HELP,
  type FilterOptions,
  matchingEvents,
  toFilter,
} from "./dead-letters/filter.ts";
import { createGroups, type GroupField, groupFields } from "./dead-letters/groups.ts";
import type { DeadLetter, LetterEvent } from "./dead-letters/dead-letter.ts";
import {
  countLetters,
  HIDDEN_SECONDS,
  type LetterQueue,
  lookAtLetters,
  lostNote,
  missedNote,
  type Reading,
  unseenNote,
} from "./dead-letters/queue.ts";
import {
  counted,
  factsOf,
  printable,
  type Row,
  TABLE_HEAD,
  toCells,
  toLine,
  toRow,
  toTable,
} from "./dead-letters/render.ts";
import { explained } from "./sqs-errors.ts";
import { addTargetOptions, findTarget, sqsClient, type TargetOptions } from "./stack-address.ts";

type Options = TargetOptions & FilterOptions & { json?: true };

const command = new Command("npm run dead-letters --")
  .description("Shows what stands in the dead-letter queue and why. Nothing is taken out of it.")
  .addHelpText(
    "after",
    `
Reading hides letters from others until the command ends, also by Ctrl-C; one that is killed hides them for up to
${HIDDEN_SECONDS / 60} minutes. Send them again with \`npm run replay\`.

Exit codes: 0 done, 1 a named event is not there or not all letters were read, 2 the queue could not be read.`,
  );

const list = command.command("list").description("one line an event, oldest first").action(listEvents);
const group = command
  .command("group")
  .description("how many events there are of each reason")
  .addOption(new Option("--by <fields...>", "and of each of these").choices(groupFields))
  .action(groupEvents);
const show = command
  .command("show")
  .argument("<id>", "of an event or a message")
  .description("all that is known of a letter, with its body")
  .action(showLetter);
const exporting = command
  .command("export")
  .argument("<file>", "newline-delimited JSON, or - for stdout")
  .description("one event a line, to be corrected and given to `npm run replay -- --edit`")
  .action(exportEvents);
for (const each of [list, group]) each.option("--json", "one JSON object a line");
for (const each of [list, group, exporting]) addFilterOptions(each).addHelpText("after", FILTER_HELP);
for (const each of [list, group, show, exporting]) addTargetOptions(each);

async function listEvents(options: Options): Promise<void> {
  const rows: Row[] = [];
  const { letters, missed } = await lookAt(options, (letter, event) => rows.push(toRow(letter, event)));
  rows.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt) || a.messageId.localeCompare(b.messageId));
  if (options.json) for (const row of rows) print(JSON.stringify(row));
  else if (process.stdout.isTTY && rows.length > 0)
    print(toTable(TABLE_HEAD, rows.map(toCells), process.stdout.columns));
  else for (const row of rows) print(toLine(row));
  process.stderr.write(
    `${missed ? "At least " : ""}${counted(rows.length, "event")} in ${counted(letters, "dead letter")}\n`,
  );
}

async function groupEvents({ by: fields = [], ...options }: Options & { by?: GroupField[] }): Promise<void> {
  const groups = createGroups(fields);
  await lookAt(options, (letter, event) => groups.add(toRow(letter, event)));
  if (options.json) {
    for (const { events, reason, by, oldest } of groups.list())
      print(
        JSON.stringify({ events, reason, ...Object.fromEntries(fields.map((field, i) => [field, by[i]])), oldest }),
      );
    return;
  }
  const head = ["EVENTS", "REASON", ...fields.map((field) => field.toUpperCase()), "OLDEST"];
  const rows = groups
    .list()
    .map(({ events, reason, by, oldest }) => [
      String(events),
      reason,
      ...by.map((value) => value ?? "unknown"),
      oldest,
    ]);
  print(toTable(head, rows, Number.POSITIVE_INFINITY));
}

async function showLetter(id: string, options: Options): Promise<void> {
  let found = 0;
  await lookAt({ ...options, id: [id] }, (letter, event) => {
    found += 1;
    if (letter.messageId !== id) print(describe(letter, event.exact, event));
    else if (found === 1) print(describe(letter, parse(letter.body)));
  });
}

async function exportEvents(path: string, options: Options): Promise<void> {
  const file = openLineFile(path);
  let events = 0;
  let unreadable = 0;
  try {
    const { missed } = await lookAt(options, (letter, event) => {
      if (event.exact === undefined) unreadable += 1;
      else {
        file.add(toEventLine(letter, event));
        events += 1;
      }
    });
    if (missed && path !== "-") {
      await file.discard();
      process.stderr.write(`${path} was not written, because not all letters were read\n`);
      return;
    }
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  process.stderr.write(`${counted(events, "event")} written to ${path}\n`);
  if (unreadable > 0)
    process.stderr.write(
      `${counted(unreadable, "unreadable message")} left out; \`show\` and the message id give their bodies\n`,
    );
}

type Look = {
  /** How many there were with an event that was shown. */
  letters: number;
  /** Whether there may be letters that were not read; why is told, and is the exit code. */
  missed: boolean;
};

/** Shows each event that the options take. @throws Error of a call that failed */
async function lookAt(options: Options, see: (letter: DeadLetter, event: LetterEvent) => void): Promise<Look> {
  const target = findTarget(options);
  const client = sqsClient(target);
  const queue: LetterQueue = { client, url: target.deadLetterQueueUrl };
  const filter = toFilter(options, Date.now());
  const ids = createIdCheck(filter);
  const signal = onInterrupt();
  let letters = 0;
  let reading: Reading;
  try {
    process.stderr.write(unseenNote(await countLetters(queue)));
    const look = (letter: DeadLetter) => {
      ids.see(letter);
      const events = matchingEvents(letter, filter);
      for (const event of events) see(letter, event);
      letters += events.length > 0 ? 1 : 0;
    };
    reading = await lookAtLetters(queue, look, signal);
  } catch (error) {
    throw explained(error);
  } finally {
    client.destroy();
  }
  const { lost, missed } = reading;
  if (lost > 0) process.stderr.write(lostNote(lost));
  if (missed > 0) process.stderr.write(missedNote(missed));
  if (signal.aborted) process.stderr.write("Stopped before all letters were read; all of them are visible again\n");
  const partly = lost > 0 || missed > 0 || signal.aborted;
  if (partly) process.exitCode = exitCodes.incomplete;
  for (const id of ids.unknown()) {
    process.exitCode = exitCodes.incomplete;
    process.stderr.write(
      `No dead letter has the event id or message id ${printable(id)}; \`list\` shows what is there\n`,
    );
  }
  return { letters, missed: partly };
}

/** The facts of a letter, then what is in it. */
function describe(letter: DeadLetter, content: unknown, event?: LetterEvent): string {
  const facts = Object.entries({
    ...(event !== undefined && { event: event.id, type: event.type, source: event.source }),
    ...factsOf(letter),
    events: letter.events.length,
  }).filter(([, value]) => value !== undefined);
  // PostgreSQL's words may have several lines.
  const lines = facts.flatMap(([name, value]) =>
    String(value)
      .split("\n")
      .map((line, index) => (index === 0 ? name : "").padEnd(LABEL_WIDTH) + line),
  );
  const body = typeof content === "string" ? content : JSON.stringify(content, undefined, 2);
  return [...lines, "", ...body.split("\n"), ""].map(printable).join("\n");
}

const LABEL_WIDTH = "receivedAt".length + 2;

/** JSON with all its digits; any other text as it is. */
function parse(body: string): unknown {
  try {
    return parseLossless(body).lossless;
  } catch {
    return body;
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

await runCommand(command);
