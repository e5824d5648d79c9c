import { Command } from "commander";
import { apiUrl, positiveInteger } from "../cli/option-values.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { userPath } from "../cli/npm.ts";
import { startProgress } from "../cli/progress.ts";
import { runCommand } from "../cli/run-command.ts";
import { forEachConcurrently } from "../functions/core/for-each-concurrently.ts";
import { REQUEST_MAX_EVENTS } from "../functions/core/limits.ts";
import { intoRequests, readEventLines } from "./send/event-lines.ts";
import { findApi } from "./send/find-api.ts";
import { findKey } from "./send/find-key.ts";
import { postEvents } from "./send/post-events.ts";
import { createReadBack } from "./send/read-back.ts";
import { createReport } from "./send/report.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & { url?: string; batch: number; connections: number; readBack?: true };

const command = new Command("npm run send --")
  .description("Posts the events of a file, one JSON object a line, and reports what became of each.")
  .argument("<file>", "newline-delimited JSON, or - for stdin")
  .option("--url <url>", "the API's URL (default: that of the local runtime)", apiUrl("--url"))
  .option("--batch <n>", "events per request", positiveInteger("--batch"), 100)
  .option("--connections <n>", "requests at once", positiveInteger("--connections"), 4)
  .option("--read-back", "waits until each accepted event is stored, and compares it with what was sent");
addStackOptions(command)
  .addHelpText(
    "after",
    `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken.

Ctrl-C finishes the requests under way and says from which line on to send again.

Exit codes: 0 all events accepted (and read back equal), 1 some were not, 2 nothing could be sent.`,
  )
  .action(send);

async function send(file: string, options: Options): Promise<void> {
  if (options.batch > REQUEST_MAX_EVENTS)
    throw new Error(`--batch takes at most ${REQUEST_MAX_EVENTS}, the API's limit.`);
  const input = file === "-" ? file : userPath(file);
  const { url, apiKey } = options.url === undefined ? findStackAddress(options) : { url: options.url };
  await findApi(url, options.url === undefined && options.outputs === undefined ? RESTART : CHECK_URL);
  const key = findKey(apiKey);

  const signal = onInterrupt();
  const report = createReport();
  const progress = startProgress(undefined, "events");
  const readBack = options.readBack
    ? createReadBack({ url, key }, { signal, onResult: (result) => report.addReadBack(result) })
    : undefined;
  const post = { signal, onRetry: (why: string) => process.stderr.write(`${why}\n`) };
  const requests = intoRequests(readEventLines(input, signal), options.batch, (bad) =>
    report.add([{ ...bad, status: "invalid" }]),
  );
  try {
    await forEachConcurrently(requests, options.connections, async (request) => {
      if (signal.aborted) return report.skip(request);
      const outcomes = await postEvents({ url, key }, request, post);
      report.add(outcomes);
      progress.advance(request.length);
      if (readBack === undefined) return;
      const accepted = new Set(outcomes.filter(({ status }) => status === "accepted").map(({ line }) => line));
      await readBack.add(request.filter(({ line }) => accepted.has(line)));
    });
    await readBack?.end();
  } finally {
    progress.stop();
  }
  report.print({ isStopped: signal.aborted, isReadBack: readBack !== undefined });
}

const RESTART = "The runtime that ran here was killed; start it again with `npm start`.";
const CHECK_URL = "Check the URL and the network; the runtime on this machine is started with `npm start`.";

await runCommand(command);
