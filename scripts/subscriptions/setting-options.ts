import { type Command, Option } from "commander";
import { httpUrl, positiveInteger } from "../../cli/option-values.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { DELIVERY_ORDERS, RETRY_SCHEDULES, type Sink, WEBHOOK_FORMATS } from "../../functions/core/subscription.ts";
import { DELIVERY_BATCH_MAX, DELIVERY_TIMEOUT_MAX_MS } from "../../functions/core/subscription-limits.ts";
import { toFilter } from "../export/to-filter.ts";

export type FilterOptions = { type?: string[]; source?: string[]; filter?: string };

export type DeliveryOptions = {
  order?: (typeof DELIVERY_ORDERS)[number];
  schedule?: (typeof RETRY_SCHEDULES)[number];
  batch?: number;
  /** NONE: without a bound. */
  rate?: number | typeof NONE;
  timeoutMs?: number;
  format?: (typeof WEBHOOK_FORMATS)[number];
};

export type SinkOptions = {
  url?: string;
  slack?: string;
  email?: string[];
  sns?: string;
  sqs?: string;
  format?: (typeof WEBHOOK_FORMATS)[number];
  header?: string[];
};

/** The word by which a setting is taken away. */
export const NONE = "none";

export const addFilterOptions = (command: Command, none = ""): Command =>
  command
    .option("--type <types...>", "events of these types, in full or as com.example.*")
    .option("--source <sources...>", "the same for sources")
    .option("--filter <json>", `events that a filter matches; docs/filters.md has the language${none}`);

export const addDeliveryOptions = (command: Command): Command =>
  command
    .addOption(new Option("--order <order>", "subject: the events of one subject one by one").choices(DELIVERY_ORDERS))
    .addOption(new Option("--schedule <schedule>", "the waits between the tries").choices(RETRY_SCHEDULES))
    .option("--batch <n>", `events of one request, up to ${DELIVERY_BATCH_MAX}`, positiveInteger("--batch"))
    .option("--rate <n>", `at most so many events a second on average; ${NONE}: without a bound`, rate)
    .option(
      "--timeout-ms <n>",
      `the time for an answer, up to ${DELIVERY_TIMEOUT_MAX_MS} ms`,
      positiveInteger("--timeout-ms"),
    )
    .addOption(new Option("--format <format>", "the form of a webhook").choices(WEBHOOK_FORMATS));

export const addSinkOptions = (command: Command): Command =>
  command
    .option("--url <url>", "the sink: a webhook", httpUrl("--url", "https://example.com/webhooks"))
    .option("--header <text>", "a header of the webhook, as 'name: value'; may be repeated", collect)
    .option("--email <addresses...>", "the sink: e-mail to these addresses")
    .option("--slack <url>", "the sink: a webhook of Slack", httpUrl("--slack", "https://hooks.slack.com/services/…"))
    .option("--sns <topic-arn>", "the sink: a topic, one of the stage's notifyTopics")
    .option("--sqs <queue-url>", "the sink: a queue, one of the stage's notifyQueues");

/** The sink that options name; undefined where they name none. @throws Error that says which option to leave out or add */
export function toSink({ url, slack, email, sns, sqs, format, header }: SinkOptions): Sink | undefined {
  const headers = header === undefined ? undefined : Object.fromEntries(header.map(toHeader));
  const sinks = {
    "--url": url === undefined ? undefined : ({ type: "webhook", url, ...given({ format, headers }) } as const),
    "--slack": slack === undefined ? undefined : ({ type: "slack", url: slack } as const),
    "--email": email === undefined ? undefined : ({ type: "email", to: email } as const),
    "--sns": sns === undefined ? undefined : ({ type: "sns", topicArn: sns } as const),
    "--sqs": sqs === undefined ? undefined : ({ type: "sqs", queueUrl: sqs } as const),
  } satisfies Record<string, Sink | undefined>;
  const named = Object.entries(sinks).filter(([, sink]) => sink !== undefined);
  if (named.length > 1)
    throw new Error(`A subscription has one sink. Keep one of ${named.map(([option]) => option).join(", ")}.`);
  if (url === undefined && (format ?? headers) !== undefined)
    throw new Error("--format and --header belong to a webhook, which is changed as a whole. Name its --url as well.");
  return named[0]?.[1];
}

/** The members of a body for everything but name, sink and start. */
export function toSettings(options: FilterOptions & DeliveryOptions) {
  const { order, schedule, batch, rate, timeoutMs } = options;
  return {
    filter: toFilterChange(options),
    order,
    schedule,
    batch,
    rate: rate === NONE ? null : rate,
    timeoutMs,
  };
}

/** `null` takes the filter away. */
function toFilterChange(options: FilterOptions): Filter | null | undefined {
  if (options.filter !== NONE) return toFilter(options);
  if (options.type !== undefined || options.source !== undefined)
    throw new Error(`--filter ${NONE} takes the filter away. Leave out --type and --source.`);
  return null;
}

const rate = (text: string) => (text === NONE ? NONE : positiveInteger("--rate")(text));

function toHeader(text: string): [name: string, value: string] {
  const at = text.indexOf(":");
  if (at < 1) throw new Error(`--header takes a name, a colon and a value, such as 'x-token: secret'.`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** Without the members that are undefined. */
function given<Members extends object>(members: Members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Members]?: NonNullable<Members[Name]>;
  };
}
