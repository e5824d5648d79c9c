import { Command } from "commander";
import { userPath } from "../cli/npm.ts";
import { httpUrl, port } from "../cli/option-values.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { pageLine } from "./page-line.ts";
import { greeting } from "./greeting.ts";
import { messageOf } from "./message-of.ts";
import { LOOPBACKS } from "./ports.ts";
import { type Runtime, startRuntime } from "./runtime.ts";

type Options = {
  port?: number;
  host?: string;
  dataDir: string;
  fresh?: true;
  allowHttpSinks?: true;
  otlp?: string;
  json?: true;
};

/** Also where the commands look for a runtime without the option. */
const DATA_DIR = ".sluice";

const command = new Command("npm start --")
  .description("Runs the whole stack on this machine: the API, the queue, the functions and PostgreSQL.")
  .option("--port <port>", "port of the API (default: 4800, or any free one)", port("--port"))
  .option(
    "--host <address>",
    "an address where the API listens besides this machine's own, or 0.0.0.0",
    // As in a URL: [::1].
    (address) => address.replace(/^\[(.*)\]$/, "$1"),
  )
  .option("--data-dir <folder>", "where the database and the queue keep their data", (text) => userPath(text), DATA_DIR)
  .option("--fresh", "delete that data first")
  .option("--allow-http-sinks", "let subscriptions deliver to http://127.0.0.1:PORT on this machine")
  .option(
    "--otlp <url>",
    "send spans to a receiver of OTLP over HTTP, for example http://127.0.0.1:4318",
    httpUrl("--otlp", "http://127.0.0.1:4318"),
  )
  .option("--json", "print one JSON line with the addresses when ready; logs go to stderr")
  .action(start);

const log = (line: string) => process.stderr.write(`${line}\n`);

/** The last resort: the runtime's own deadlines end it within four seconds, whatever hangs. */
const STOP_WITHIN_MS = 5_000;

// A closed terminal accepts no more lines; the stop that follows must be an orderly one all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

let runtime: Runtime | undefined;
let stopping = false;
const starting = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);

await runCommand(command);

async function start(options: Options): Promise<void> {
  try {
    runtime = await startRuntime({
      dataDir: options.dataDir,
      port: options.port,
      host: options.host,
      fresh: options.fresh ?? false,
      allowHttpSinks: options.allowHttpSinks ?? false,
      otlpEndpoint: options.otlp,
      watch: true,
      signal: starting.signal,
      log,
    });
    const { addresses, failure } = runtime;
    void failure.then(onFailure);
    if (options.host !== undefined && !LOOPBACKS.includes(options.host)) log(warning(options.host));
    process.stdout.write(
      options.json
        ? `${JSON.stringify(addresses)}\n`
        : greeting(runtime, {
            dataDir: options.dataDir,
            isDefault: options.dataDir === DATA_DIR,
            allowHttpSinks: options.allowHttpSinks ?? false,
          }),
    );
    // After the greeting, which should not wait for the first start of one more function.
    if (!options.json) process.stdout.write(await pageLine(addresses));
  } catch (error) {
    if (stopping) process.exit(0);
    log(`error: ${messageOf(error)}`);
    process.exit(exitCodes.failed);
  }
}

/** The first signal finishes what is in flight; a second one ends at once. */
function onSignal(): void {
  if (stopping) process.exit(130);
  log("Stopping; press Ctrl-C again to end at once");
  stop(0);
}

function onFailure(reason: Error): void {
  log(`error: ${reason.message}`);
  if (!stopping) stop(1);
}

/** An unfinished start ends with its own error, above. */
function stop(exitCode: number): void {
  stopping = true;
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
  if (runtime === undefined) starting.abort();
  else void runtime.stop().finally(() => process.exit(exitCode));
}

function warning(host: string): string {
  return `warning: --host ${host}: the API is reached there without TLS, so keys and events can be read on the way`;
}
