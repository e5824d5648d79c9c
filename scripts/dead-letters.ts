import { Command, Option } from "commander";
import { pluralize } from "../cli/pluralize.ts";
import { printable } from "../cli/printable.ts";
import { toTable } from "../cli/to-table.ts";
import { parseLossless } from "../functions/core/lossless-json.ts";
import { type DeadLetterEvent, type DeadLetterMessage, factsOf } from "../functions/replay/dead-letter-message.ts";
import { type DeadLetterRow, toRow } from "../functions/replay/dead-letter-row.ts";
import { toEventLine } from "../functions/replay/event-line.ts";
import { createIdCheck, type FilterOptions, matchingEvents, toFilter } from "../functions/replay/filter.ts";
import { createGroups, type GroupField, groupFields } from "../functions/replay/groups.ts";
import { userPath } from "../cli/npm.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { addFilterOptions, FILTER_HELP } from "./dead-letters/filter-options.ts";
import { openLineFile } from "./dead-letters/line-file.ts";
import { lostNote, missedNote, STOPPED_NOTE, unseenNote } from "./dead-letters/notes.ts";
import { countMessages, type Queue } from "./dead-letters/queue.ts";
import { TABLE_HEAD, toCells, toLine } from "./dead-letters/render.ts";
import { type ScanResult, scanDeadLetters, VISIBILITY_TIMEOUT_SECONDS } from "./dead-letters/scan.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { createSqsClient } from "./create-sqs-client.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";
import { withAdvice } from "./with-advice.ts";

type Options = StackOptions & FilterOptions & { json?: true };

const command = new Command("npm run dead-letters --")
  .description("Shows the dead letters and their reasons. Nothing is taken out of the dead-letter queue.")
  .addHelpText(
    "after",
    `
Reading hides messages from other readers until the command ends, also by Ctrl-C; if it is killed, they stay hidden for up
to ${VISIBILITY_TIMEOUT_SECONDS / 60} minutes. Dead letters are sent to the queue again with \`npm run replay\`.

Exit codes: 0 done, 1 a named event was not found or not all messages were read, 2 the queue could not be read.`,
  );

const list = command.command("list").description("one line an event, oldest first").action(listEvents);
const group = command
  .command("group")
  .description("the number of events by reason")
  .addOption(new Option("--group-by <fields...>", "and by each of these").choices(groupFields))
  .action(groupEvents);
const show = command
  .command("show")
  .argument("<id>", "of an event or a message")
  .description("everything known of a dead letter, with its body")
  .action(showDeadLetter);
const exporting = command
  .command("export")
  .argument("<file>", "newline-delimited JSON, or - for stdout")
  .description("one event a line, to be corrected and given to `npm run replay -- --edits`")
  .action(exportEvents);
for (const each of [list, group]) each.option("--json", "one JSON object a line");
for (const each of [list, group, exporting]) addFilterOptions(each).addHelpText("after", FILTER_HELP);
for (const each of [list, group, show, exporting]) addStackOptions(each);

async function listEvents(options: Options): Promise<void> {
  const rows: DeadLetterRow[] = [];
  const { messages, isPartial } = await scan(options, (message, event) => rows.push(toRow(message, event)));
  rows.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt) || a.messageId.localeCompare(b.messageId));
  if (options.json) for (const row of rows) print(JSON.stringify(row));
  else if (process.stdout.isTTY && rows.length > 0)
    print(toTable(TABLE_HEAD, rows.map(toCells), process.stdout.columns));
  else for (const row of rows) print(toLine(row));
  process.stderr.write(
    `${isPartial ? "At least " : ""}${pluralize(rows.length, "event")} in ${pluralize(messages, "message")}\n`,
  );
}

async function groupEvents({ groupBy: fields = [], ...options }: Options & { groupBy?: GroupField[] }): Promise<void> {
  const groups = createGroups(fields);
  await scan(options, (message, event) => groups.add(toRow(message, event)));
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

async function showDeadLetter(id: string, options: Options): Promise<void> {
  let found = 0;
  await scan({ ...options, id: [id] }, (message, event) => {
    found += 1;
    if (message.messageId !== id) print(describe(message, event.content, event));
    else if (found === 1) print(describe(message, parse(message.body)));
  });
}

async function exportEvents(name: string, options: Options): Promise<void> {
  const path = name === "-" ? name : userPath(name);
  const file = openLineFile(path);
  let events = 0;
  let unreadable = 0;
  try {
    const { isPartial } = await scan(options, (message, event) => {
      if (event.content === undefined) unreadable += 1;
      else {
        file.add(toEventLine(message, event));
        events += 1;
      }
    });
    if (isPartial && path !== "-") {
      await file.discard();
      process.stderr.write(`${path} was not written, because not all messages were read\n`);
      return;
    }
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  process.stderr.write(`${pluralize(events, "event")} written to ${path}\n`);
  if (unreadable > 0)
    process.stderr.write(
      `${pluralize(unreadable, "unreadable message")} left out; \`show\` with the message id prints the body\n`,
    );
}

type Scanned = {
  /** Messages with an event that the filter accepts. */
  messages: number;
  /** True if some messages may not have been read. */
  isPartial: boolean;
};

/**
 * Passes each event that the options accept to `onEvent`, and reports on stderr what was not read or not found.
 * @throws Error of a call that failed
 */
async function scan(
  options: Options,
  onEvent: (message: DeadLetterMessage, event: DeadLetterEvent) => void,
): Promise<Scanned> {
  const address = findStackAddress(options);
  const client = createSqsClient(address);
  const queue: Queue = { client, url: address.deadLetterQueueUrl };
  const filter = toFilter(options, Date.now());
  const ids = createIdCheck(filter);
  const signal = onInterrupt();
  let messages = 0;
  let result: ScanResult;
  try {
    process.stderr.write(unseenNote(await countMessages(queue)));
    const onMessage = (message: DeadLetterMessage) => {
      ids.add(message);
      const events = matchingEvents(message, filter);
      for (const event of events) onEvent(message, event);
      messages += events.length > 0 ? 1 : 0;
    };
    result = await scanDeadLetters(queue, onMessage, signal);
  } catch (error) {
    throw withAdvice(error);
  } finally {
    client.destroy();
  }
  const { lost, missed } = result;
  if (lost > 0) process.stderr.write(lostNote(lost));
  if (missed > 0) process.stderr.write(missedNote(missed));
  if (signal.aborted) process.stderr.write(STOPPED_NOTE);
  const isPartial = lost > 0 || missed > 0 || signal.aborted;
  if (isPartial) process.exitCode = exitCodes.incomplete;
  for (const id of ids.missing()) {
    process.exitCode = exitCodes.incomplete;
    process.stderr.write(
      `No dead letter has the event id or message id ${printable(id)}; \`list\` shows those that exist\n`,
    );
  }
  return { messages, isPartial };
}

/** The facts of a dead letter, then its content. */
function describe(message: DeadLetterMessage, content: unknown, event?: DeadLetterEvent): string {
  const facts = Object.entries({
    ...(event !== undefined && { event: event.id, type: event.type, source: event.source }),
    ...factsOf(message),
    events: message.events.length,
  }).filter(([, value]) => value !== undefined);
  // PostgreSQL's message may have several lines.
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
