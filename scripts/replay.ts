import { createHash } from "node:crypto";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { Command } from "commander";
import { exitCodes, positiveInteger, runCommand } from "./command.ts";
import { countDeadLetters, type DeadLetter, readDeadLetters, release, replay } from "./dead-letters.ts";
import { startProgress } from "./progress.ts";
import { findTarget, sqsClient, type Target } from "./target.ts";

type Filter = { type?: string; reason?: string; limit?: number };
type Options = Filter & { dryRun?: true; outputs?: string; stack?: string; dataDir: string };

const command = new Command("npm run replay --")
  .description("Sends dead letters to the queue again, where the same checks run as on the first time.")
  .option("--dry-run", "only list what would be replayed")
  .option("--type <type>", "only events of this type")
  .option("--reason <reason>", "only letters with this reason, for example not_storable")
  .option("--limit <n>", "at most this many letters", positiveInteger("--limit"))
  .option("--outputs <file>", "a deployed stack, by the outputs file of cdk deploy")
  .option("--stack <name>", "which stack of the outputs file")
  .option("--data-dir <folder>", "the data folder of the runtime that runs here", ".sluice")
  .addHelpText(
    "after",
    "\nA letter may hold several events, where SQS moved a whole message: it is replayed whole when one of them matches.",
  )
  .addHelpText("after", `\nExit codes: 0 done, 1 some letters could not be replayed, 2 the queue could not be read.`)
  .action(run);

async function run(options: Options): Promise<void> {
  const target = findTarget(options);
  const client = sqsClient(target);
  try {
    if (options.dryRun) await list(client, target, options);
    else await replayMatching(client, target, options);
  } finally {
    client.destroy();
  }
}

async function list(client: SQSClient, target: Target, filter: Filter): Promise<void> {
  const read: DeadLetter[] = [];
  try {
    for await (const letter of readDeadLetters(client, target.deadLetterQueueUrl)) read.push(letter);
  } finally {
    await release(client, target.deadLetterQueueUrl, read);
  }
  const matching = read.filter((letter) => matches(letter, filter)).slice(0, filter.limit);
  for (const letter of matching) process.stdout.write(`${describe(letter)}\n`);
  process.stdout.write(`${matching.length} of ${read.length} dead letters would be replayed\n`);
}

async function replayMatching(client: SQSClient, target: Target, filter: Filter): Promise<void> {
  const expected = await countDeadLetters(client, target.deadLetterQueueUrl);
  const progress = startProgress(Math.min(expected, filter.limit ?? expected), "dead letters");
  const kept: DeadLetter[] = [];
  /** Replay count by hash of the body: a letter refused again comes back while this runs, and waits for the next run. */
  const sent = new Map<string, number>();
  let replayed = 0;
  let failed = 0;
  try {
    for await (const letter of readDeadLetters(client, target.deadLetterQueueUrl)) {
      if (!matches(letter, filter) || letter.replays > (sent.get(hash(letter.body)) ?? letter.replays)) {
        kept.push(letter);
        continue;
      }
      try {
        await replay(client, target, letter);
        sent.set(hash(letter.body), letter.replays);
        replayed += 1;
      } catch (error) {
        failed += 1;
        kept.push(letter);
        process.stderr.write(
          `${describe(letter)} not replayed: ${error instanceof Error ? error.message : String(error)}\n`,
        );
      }
      progress.advance(1);
      if (replayed === filter.limit) break;
    }
  } finally {
    progress.stop();
    await release(client, target.deadLetterQueueUrl, kept);
  }
  process.stdout.write(`${replayed} dead letters replayed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? exitCodes.done : exitCodes.incomplete;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function matches(letter: DeadLetter, { type, reason }: Filter): boolean {
  if (reason !== undefined && letter.reason !== reason) return false;
  return type === undefined || letter.events.some((event) => event.type === type);
}

function describe({ events, reason, sqlState, detail, replays }: DeadLetter): string {
  const [first] = events;
  const what = first === undefined ? "unreadable message" : `${first.type} ${first.source} ${first.id}`;
  const more = events.length > 1 ? ` and ${events.length - 1} more events` : "";
  const state = sqlState === undefined ? "" : ` ${sqlState}`;
  return `${what}${more} | ${reason}${state} | replays ${replays} | ${detail.split("\n", 1)[0]}`;
}

await runCommand(command);
