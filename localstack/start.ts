import { Command } from "commander";
import { userPath } from "../cli/npm.ts";
import { port } from "../cli/option-values.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { messageOf } from "./message-of.ts";
import { LOOPBACKS } from "./ports.ts";
import { type Addresses, type Runtime, startRuntime } from "./runtime.ts";

type Options = { port?: number; host?: string; dataDir: string; fresh?: true; json?: true };

const command = new Command("npm start --")
  .description("Runs the whole stack on this machine: the API, the queue, the functions and PostgreSQL.")
  .option("--port <port>", "port of the API (default: 4800, or any free one)", port("--port"))
  .option(
    "--host <address>",
    "an address where the API listens besides this machine's own, or 0.0.0.0; it asks for no key",
    // As in a URL: [::1].
    (address) => address.replace(/^\[(.*)\]$/, "$1"),
  )
  .option(
    "--data-dir <folder>",
    "where the database and the queue keep their data",
    (text) => userPath(text),
    ".sluice",
  )
  .option("--fresh", "delete that data first")
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
      watch: true,
      signal: starting.signal,
      log,
    });
    const { addresses, failure } = runtime;
    void failure.then(onFailure);
    if (options.host !== undefined && !LOOPBACKS.includes(options.host)) log(warning(options.host));
    process.stdout.write(options.json ? `${JSON.stringify(addresses)}\n` : greeting(runtime, options.dataDir));
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
  return `warning: --host ${host}: everyone who reaches the API there may read and write your events, without a key`;
}

function greeting({ addresses, listensOn }: Runtime, dataDir: string): string {
  const { url, region, databaseUrl, queueUrl, deadLetterQueueUrl, awsEndpointUrl }: Addresses = addresses;
  const aws = `AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws --region ${region} --endpoint-url ${awsEndpointUrl} sqs`;
  const event = '{"type":"com.example.greeting","source":"/me","data":{"hello":"world"}}';
  return `
Sluice runs at ${url} (it listens on ${listensOn.join(" and ")})

  Send an event    curl -i ${url}/events -H 'content-type: application/json' -d '${event}'
  Read it          curl ${url}/events/ID
  Send a file      npm run send -- FILE.ndjson
  The database     psql ${databaseUrl}
  The queue        ${aws} get-queue-attributes --attribute-names All --queue-url ${queueUrl}
  Dead letters     ${aws} receive-message --message-attribute-names All --queue-url ${deadLetterQueueUrl}
                   npm run dead-letters -- list

Data is in ${dataDir}; \`npm start -- --fresh\` deletes it first. Ctrl-C stops.

`;
}
