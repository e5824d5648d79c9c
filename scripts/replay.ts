import { Command } from "commander";
import { MAX_REPLAYS } from "../functions/core/limits.ts";
import { positiveInteger, runCommand } from "./command.ts";
import { onInterrupt } from "./interrupt.ts";
import { addFilterOptions, FILTER_HELP } from "./dead-letters/filter.ts";
import { HIDDEN_SECONDS } from "./dead-letters/queue.ts";
import { runDry } from "./replay/run-dry.ts";
import { readStart } from "./replay/journal.ts";
import { runMove } from "./replay/run-move.ts";
import { type CommandOptions, refuseContradictions, toReplayOptions } from "./replay/options.ts";
import { runReplay } from "./replay/run-replay.ts";
import { discard, refuseOther } from "./replay/unfinished.ts";
import { explained } from "./sqs-errors.ts";
import { addTargetOptions, findTarget, sqsClient } from "./stack-address.ts";

const command = new Command("npm run replay --").description(
  "Sends dead letters to the queue again, where the same checks run as on the first time.",
);
addFilterOptions(command)
  .option("--dry-run", "only count what would be replayed, and show the first of it")
  .option("--limit <n>", "at most this many events", positiveInteger("--limit"))
  .option("--rate <n>", "at most this many events a second on average", positiveInteger("--rate"))
  .option(
    "--max-replays <n>",
    `also events that were replayed often, up to this many times (default: ${MAX_REPLAYS})`,
    positiveInteger("--max-replays"),
  )
  .option("--edit <file>", "only the events of this file, as they stand there (see `dead-letters export`)")
  .option("--to <queue-url>", "to another queue")
  .option("--all", "let SQS itself move every letter as it is, whatever its replay count; takes only --rate")
  .option("--resume", "finish a replay that was interrupted")
  .option("--discard", "forget a replay that was interrupted; what it did not replay stays where it is");
addTargetOptions(command)
  .addHelpText("after", FILTER_HELP)
  .addHelpText(
    "after",
    `
Of a message with many events those that match are replayed, and the others stay as a letter. What is refused again
comes back with its replay count raised, and is not replayed a second time in the same run.

A replay writes a journal in the data folder, or beside the outputs file, until it is done. One that was interrupted is
finished by the same command or by --resume. Letters that it had in hand may be hidden for up to ${HIDDEN_SECONDS / 60} minutes.

Exit codes: 0 done, 1 something was not replayed, 2 it could not begin or go on.`,
  )
  .action(run);

async function run(options: CommandOptions): Promise<void> {
  refuseContradictions(options);
  const target = findTarget(options);
  if (options.discard) return discard(target.journal);
  const unfinished = options.dryRun ? undefined : await readStart(target.journal);
  if (!options.dryRun) refuseOther(unfinished, options);

  const client = sqsClient(target);
  const queue = { client, url: target.deadLetterQueueUrl };
  const signal = onInterrupt();
  try {
    if (options.all) return await runMove(queue, { to: target.queueUrl, rate: options.rate, signal });
    if (options.dryRun) return await runDry(queue, toReplayOptions(options, Date.now()), signal);
    await runReplay(queue, { target, options, signal, unfinished: unfinished?.options });
  } catch (error) {
    throw explained(error);
  } finally {
    client.destroy();
  }
}

await runCommand(command);
