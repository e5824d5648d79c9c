import { Command } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { port, positiveInteger } from "../cli/option-values.ts";
import { pluralize } from "../cli/pluralize.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { ApiError, createApiClient } from "./access/api-client.ts";
import { headLine, webhookJson, webhookLines } from "./listen/lines.ts";
import { type Receiver, type ReceivedWebhook, startReceiver } from "./listen/receiver.ts";
import { readPublicKey, readSecret, type WebhookKeys } from "./listen/verify-webhook.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";
import { matchesText } from "./subscriptions/print-made.ts";
import {
  addDeliveryOptions,
  addFilterOptions,
  type DeliveryOptions,
  type FilterOptions,
  toSettings,
} from "./subscriptions/setting-options.ts";
import { createSubscriptionsApi, type SubscriptionsApi } from "./subscriptions/subscriptions-api.ts";

type Options = StackOptions &
  FilterOptions &
  DeliveryOptions & {
    port?: number;
    secret?: string[];
    publicKey?: string[];
    create?: true;
    from?: string;
    tenant?: string;
    fail?: number;
    status?: number;
    delay?: number;
    count?: number;
    json?: true;
  };

/** The same each time, so that a subscription can name it. */
const DEFAULT_PORT = 4850;

/** The variable that holds a secret: an option shows it in the list of processes. */
const SECRET_VARIABLE = "WEBHOOK_SECRET";

const command = new Command("npm run listen --")
  .description("Receives webhooks on this machine, verifies their signatures and shows them.")
  .option("--port <n>", `the port (default: ${DEFAULT_PORT}, and with --create any free one)`, port("--port"))
  .option("--secret <secrets...>", `whsec_…: the webhooks are verified with it (default: ${SECRET_VARIABLE})`)
  .option("--public-key <keys...>", "whpk_…: the same for the signatures v1a")
  .option("--create", "makes a subscription for itself at the stack that runs here, and deletes it at the end")
  .option("--from <start>", "with --create: now, an instant, or a cursor of the feed (default: now)")
  .option("--fail <n>", "the first n webhooks fail", positiveInteger("--fail"))
  .option("--status <code>", "the answer of those that fail (default: 500); without --fail, of all", status)
  .option("--delay <ms>", "the wait before each answer", positiveInteger("--delay"))
  .option("--count <n>", "ends after so many webhooks", positiveInteger("--count"))
  .option("--json", "one JSON object a webhook, with its events (default where the output is no terminal)")
  .option("--tenant <name>", "with --create: the tenant, where the key is one of the installation");
addStackOptions(addDeliveryOptions(addFilterOptions(command)))
  .addHelpText(
    "after",
    `
--create needs a stack that lets webhooks go to this machine: \`npm start -- --allow-http-sinks\`. The options of a filter and
of deliveries belong to it. docs/webhooks.md has receivers to begin with.

Exit codes: 0 ended by Ctrl-C or --count, 1 a webhook was refused, 2 not possible.`,
  )
  .action(listen);

async function listen(options: Options): Promise<void> {
  const { json, count = Infinity, create } = options;
  refuseWithoutCreate(options);
  const api = create ? openApi(options) : undefined;
  const known = create ? undefined : keysOf(options);
  const keys = Promise.withResolvers<WebhookKeys>();
  keys.promise.catch(() => undefined);
  if (known !== undefined) keys.resolve(known);

  const interrupted = onInterrupt();
  const done = new AbortController();
  const isForPeople = json === undefined && process.stdout.isTTY;
  const columns = () => (process.stdout.isTTY ? process.stdout.columns : Infinity);
  let [received, refused] = [0, 0];
  const onWebhook = (webhook: ReceivedWebhook) => {
    if (received >= count) return;
    received += 1;
    if (webhook.verdict === "refused") refused += 1;
    for (const line of isForPeople ? webhookLines(webhook, columns()) : [webhookJson(webhook)]) write(line);
    if (received === count) done.abort();
  };
  const receiver = await startReceiver({
    port: options.port ?? (create ? 0 : DEFAULT_PORT),
    keys: keys.promise,
    answer: { fail: options.fail, status: options.status, delayMs: options.delay },
    onWebhook,
  });
  try {
    process.stderr.write(`Listening at ${receiver.url}\n`);
    if (known?.secrets.length === 0 && known.publicKeys.length === 0)
      process.stderr.write(`Nothing is verified: there is no --secret, no ${SECRET_VARIABLE} and no --create\n`);
    const subscription = api === undefined ? undefined : await subscribe(api, receiver, options);
    if (subscription !== undefined) keys.resolve(subscription.keys);
    if (isForPeople) write(headLine(columns()));
    await aborted(AbortSignal.any([interrupted, done.signal]));
    await subscription?.remove();
  } finally {
    // Without a subscription no webhook gets an answer.
    keys.reject(new Error("There are no keys."));
    await receiver.stop();
  }
  process.stderr.write(`${pluralize(received, "webhook")}${refused > 0 ? `, ${refused} refused` : ""}\n`);
  if (refused > 0) process.exitCode = exitCodes.incomplete;
}

/** @throws Error that names an option which says something of a subscription, where none is made */
function refuseWithoutCreate({ create, secret, publicKey, ...options }: Options): void {
  if (create && (secret ?? publicKey) !== undefined)
    throw new Error("The subscription of --create has its own keys. Leave out --secret and --public-key.");
  const { type, source, filter, order, schedule, batch, rate, timeoutMs, format, from, tenant } = options;
  const given = { type, source, filter, order, schedule, batch, rate, "timeout-ms": timeoutMs, format, from, tenant };
  const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (!create && name !== undefined)
    throw new Error(`--${name} belongs to a subscription. Add --create, or leave it out.`);
}

function keysOf({ secret, publicKey = [] }: Options): WebhookKeys {
  const fromVariable = process.env[SECRET_VARIABLE]?.trim() || undefined;
  const secrets = secret ?? (fromVariable === undefined ? [] : [fromVariable]);
  return { secrets: secrets.map(readSecret), publicKeys: publicKey.map(readPublicKey) };
}

function openApi(options: Options): SubscriptionsApi {
  const { url, apiKey } = findStackAddress(options);
  return createSubscriptionsApi(createApiClient(url, findKey(apiKey)), options.tenant);
}

const HTTP_SINKS =
  "If it is the URL of the sink: start the stack with `npm start -- --allow-http-sinks`, which lets webhooks go to this machine.";

/** Makes a subscription whose webhooks come here. */
async function subscribe(api: SubscriptionsApi, receiver: Receiver, options: Options) {
  const { filter, rate, ...settings } = toSettings(options);
  const sink = { type: "webhook", url: `${receiver.url}/`, format: options.format };
  const body = {
    name: "npm run listen",
    sink,
    from: options.from,
    filter: filter ?? undefined,
    rate: rate ?? undefined,
  };
  const made = await api.create({ ...body, ...settings }).catch((error: unknown) => {
    const isSink = error instanceof ApiError && error.code === "bad_sink";
    throw isSink ? new Error(`${error.message} ${HTTP_SINKS}`, { cause: error }) : error;
  });
  process.stderr.write(`Subscription ${made.id}, which is deleted at the end\n${matchesText(made)}\n`);
  const keys: WebhookKeys = {
    secrets: made.secret === undefined ? [] : [readSecret(made.secret)],
    publicKeys: made.publicKey === undefined ? [] : [readPublicKey(made.publicKey)],
  };
  const remove = () =>
    api.remove(made.id).catch((error: unknown) => {
      throw new Error(
        `The subscription is still there: ${(error as Error).message} Delete it: npm run subscriptions -- delete ${made.id}`,
        { cause: error },
      );
    });
  return { keys, remove };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

function status(text: string): number {
  if (/^[2-5]\d\d$/.test(text)) return Number(text);
  throw new Error(`--status takes an HTTP status from 200 to 599, not ${text}.`);
}

await runCommand(command);
