import { Command } from "commander";
import { v7 as newId } from "uuid";
import { onInterrupt } from "../cli/interrupt.ts";
import { apiUrl, duration, positiveInteger } from "../cli/option-values.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { REQUEST_MAX_EVENTS } from "../functions/core/limits.ts";
import { createApiClient } from "./access/api-client.ts";
import { startLiveLine } from "./load/live-line.ts";
import { createMix, readTypes } from "./load/mix.ts";
import { percentage } from "./load/percentage.ts";
import { openSources, refuseUnsendable } from "./load/prepare.ts";
import { runLoad } from "./load/run-load.ts";
import { lostOf, toJson, toText } from "./load/report.ts";
import { findApi } from "./send/find-api.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & {
  rate: number;
  for: number;
  batch?: number;
  bad: number;
  tenants?: number;
  url?: string;
  json?: true;
};

const command = new Command("npm run load --")
  .description("Sends events of the stack's own types at a rate, and reports what became of them.")
  .option("--rate <n>", "events per second", positiveInteger("--rate"), 100)
  .option("--for <duration>", "how long: 90s, 30m, 2h", duration("--for"), 60_000)
  .option("--batch <n>", "events per request (default: from 1 to 100, mixed)", positiveInteger("--batch"))
  .option("--bad <percent>", "events with a mistake, which are refused", percentage("--bad"), 0.01)
  .option(
    "--tenants <n>",
    "sends as so many tenants, load-1 and so on; needs a key of the installation",
    positiveInteger("--tenants"),
  )
  .option("--json", "one JSON document in place of the table")
  .option("--url <url>", "the API's URL (default: that of the local runtime)", apiUrl("--url"));
addStackOptions(command)
  .addHelpText(
    "after",
    `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken. It may send and
read, so it is an admin's. The events stay in the stack; on AWS they cost what events cost.

Ctrl-C ends the sending; the table still comes when what was accepted is stored.

Exit codes: 0 every event without a mistake was accepted and is stored, 1 some were not, 2 nothing could be sent.`,
  )
  .action(load);

async function load(options: Options): Promise<void> {
  if ((options.batch ?? 1) > REQUEST_MAX_EVENTS)
    throw new Error(`--batch takes at most ${REQUEST_MAX_EVENTS}, the API's limit.`);
  const address = options.url === undefined ? findStackAddress(options) : { url: options.url };
  const { url } = address;
  await findApi(url, "Start the runtime with `npm start`, or check the URL and the network.");
  const local = "installationKey" in address && options.tenants !== undefined ? address.installationKey : undefined;
  const key = findKey(local ?? ("apiKey" in address ? address.apiKey : undefined));

  const api = createApiClient(url, key);
  const run = newId();
  const sources = await openSources(api, run, options.tenants);
  const mix = createMix(await readTypes(api), options.bad, await samples());
  await refuseUnsendable({ url, key }, mix, sources);
  process.stderr.write(
    `Sends ${mix.types.map(({ type }) => type).join(", ")} with the source ${sources[0]?.source ?? ""}\n`,
  );

  const signal = onInterrupt();
  const live = startLiveLine();
  const result = await runLoad({ api, to: { url, key }, mix, sources, signal, live, ...options, forMs: options.for });
  process.stdout.write(
    options.json ? `${JSON.stringify(toJson(result))}\n` : `${toText(result, process.stdout.columns || 120)}\n`,
  );
  const { refusedGood, unknown } = result.tally;
  process.exitCode = refusedGood + unknown === 0 && lostOf(result) === 0 ? exitCodes.done : exitCodes.incomplete;
}

async function samples() {
  // It takes a while to load, and most catalogs need it for a few members only.
  const { sample, stringMatching } = await import("fast-check");
  return {
    random: Math.random,
    clock: () => new Date(),
    newId,
    matching: (pattern: string) => sample(stringMatching(new RegExp(pattern, "u")), 1)[0] ?? "",
  };
}

await runCommand(command);
