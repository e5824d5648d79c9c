import { Command } from "commander";
import { MAX_REPLAYS } from "../functions/core/queue-limits.ts";
import { httpUrl, positiveInteger } from "../cli/option-values.ts";
import { userPath } from "../cli/npm.ts";
import { runCommand } from "../cli/run-command.ts";
import { addFilterOptions, FILTER_HELP } from "./dead-letters/filter-options.ts";
import { VISIBILITY_TIMEOUT_SECONDS } from "./dead-letters/scan.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { readStart } from "./replay/journal.ts";
import { type CommandOptions, refuseContradictions, toReplayOptions } from "./replay/options.ts";
import { runAll } from "./replay/run-all.ts";
import { runDry } from "./replay/run-dry.ts";
import { runReplay } from "./replay/run-replay.ts";
import { discard, refuseOtherReplay } from "./replay/unfinished.ts";
import { createSqsClient } from "./create-sqs-client.ts";
import { addStackOptions, findStackAddress } from "./stack-address.ts";
import { withAdvice } from "./with-advice.ts";

const command = new Command("npm run replay --").description(
  "Sends dead letters to the queue again, where the same checks run as the first time.",
);
addFilterOptions(command)
  .option("--dry-run", "only count the events that would be replayed, and show the first of them")
  .option("--limit <n>", "at most this many events", positiveInteger("--limit"))
  .option("--rate <n>", "at most this many events a second on average", positiveInteger("--rate"))
  .option(
    "--max-replays <n>",
    `also events that were replayed often, up to this many times (default: ${MAX_REPLAYS})`,
    positiveInteger("--max-replays"),
  )
  .option(
    "--edits <file>",
    "only the events of this file, as the file has them (see `dead-letters export`)",
    (file) => {
      if (file === "-") throw new Error("--edits needs a file: a replay that is interrupted reads it again.");
      return userPath(file);
    },
  )
  .option(
    "--to-queue <queue-url>",
    "to another queue",
    httpUrl("--to-queue", "https://sqs.eu-central-1.amazonaws.com/111122223333/queue"),
  )
  .option("--all", "let SQS itself move every message as it is, whatever its replay count; accepts only --rate")
  .option("--resume", "finish a replay that was interrupted")
  .option("--discard", "forget a replay that was interrupted; what it did not replay stays in the dead-letter queue");
addStackOptions(command)
  .addHelpText("after", FILTER_HELP)
  .addHelpText(
    "after",
    `
If only some events of a message match, those are replayed and the others stay as a message in the dead-letter queue. An
event that is refused again comes back with its replay count raised, and is not replayed a second time in the same run.

A replay writes a journal in the data folder, or beside the outputs file, until it is done. An interrupted replay is
finished by the same command or by --resume. Messages that it had received may stay hidden for up to ${VISIBILITY_TIMEOUT_SECONDS / 60} minutes.

Exit codes: 0 done, 1 something was not replayed, 2 it could not begin or continue.`,
  )
  .action(run);

async function run(options: CommandOptions): Promise<void> {
  refuseContradictions(options);
  const address = findStackAddress(options);
  if (options.discard) return discard(address.journal);
  const unfinished = options.dryRun ? undefined : await readStart(address.journal);
  if (!options.dryRun) refuseOtherReplay(unfinished, options);

  const client = createSqsClient(address);
  const queue = { client, url: address.deadLetterQueueUrl };
  const signal = onInterrupt();
  try {
    if (options.all) return await runAll(queue, { to: address.queueUrl, rate: options.rate, signal });
    if (options.dryRun) return await runDry(queue, toReplayOptions(options, Date.now()), signal);
    await runReplay(queue, { address, options, signal, unfinished: unfinished?.options });
  } catch (error) {
    throw withAdvice(error);
  } finally {
    client.destroy();
  }
}

await runCommand(command);
