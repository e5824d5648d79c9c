import {
  EXPORT_ANSWER_PARTS,
  EXPORT_BODY_MAX_BYTES,
  EXPORT_JOB_KEPT_DAYS,
  EXPORT_KEPT_DAYS,
  EXPORT_LINK_SECONDS,
  EXPORT_MAX_CONCURRENCY,
  EXPORT_MAX_PARTS,
  EXPORT_MAX_UNFINISHED,
  EXPORT_NO_PROGRESS_HOURS,
  EXPORT_PART_MAX_BYTES,
} from "../../../functions/core/export-limits.ts";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  CONSUME_BATCH_MESSAGES,
  CONSUME_MAX_CONCURRENCY,
  QUERY_MAX_CONCURRENCY,
} from "../../../functions/core/function-limits.ts";
import { CODE_SECONDS, SESSION_SECONDS } from "../../../functions/core/console-limits.ts";
import { ACCESS_BODY_MAX_BYTES } from "../../../functions/core/access-limits.ts";
import { ARCHIVE_PAGE_MAX_BYTES, ARCHIVE_PART_MAX_BYTES } from "../../../functions/core/archive-limits.ts";
import {
  ERASURE_BACKUP_DAYS,
  ERASURE_BODY_MAX_BYTES,
  ERASURE_MAX_IDS,
  ERASURE_MAX_UNFINISHED,
  ERASURE_START_DELAY_SECONDS,
} from "../../../functions/core/erasure-limits.ts";
import {
  HOLD_BODY_MAX_BYTES,
  HOLD_MATCHES_MAX,
  HOLDS_FILTERS_MAX_BYTES,
  HOLDS_MAX,
} from "../../../functions/core/hold-limits.ts";
import {
  RESTORE_BODY_MAX_BYTES,
  RESTORE_KEPT_DAYS,
  RESTORE_MAX_DAYS,
  RESTORE_MAX_MANIFESTS,
  RESTORE_MAX_UNFINISHED,
  RESTORE_MIN_DAYS,
} from "../../../functions/core/restore-limits.ts";
import {
  API_OTHER_METHODS_LIMIT,
  API_RATE_LIMIT,
  API_SHARES,
  EVENT_MAX_BYTES,
  EVENT_MAX_DEPTH,
  EXTENSION_NAME_MAX_CHARACTERS,
  EXTENSIONS_MAX,
  ID_MAX_BYTES,
  JSON_MAX_DEPTH,
  KIB,
  MIB,
  NUMBER_MAX_DIGITS,
  REQUEST_MAX_BYTES,
  REQUEST_MAX_EVENTS,
  REQUEST_MAX_VALUES,
  SOURCE_MAX_BYTES,
  TYPE_MAX_BYTES,
  VERDICT_MAX_ERRORS,
} from "../../../functions/core/limits.ts";
import {
  COUNT_MAX,
  LINES_READ_MS,
  LINK_MAX_CHARACTERS,
  LIST_DEFAULT_EVENTS,
  LIST_MAX_EVENTS,
} from "../../../functions/core/list-limits.ts";
import { SHED_LAG_MS, TENANT_MAX_QUERIES } from "../../../functions/core/query-load-limits.ts";
import { SETTLED_MAX_AGE_SECONDS } from "../../../functions/core/window-limits.ts";
import {
  DEAD_LETTER_REQUEUE_AGE_MS,
  MAX_REPLAYS,
  MAX_RECEIVE_COUNT,
  MESSAGE_MAX_BYTES,
  QUEUE_RETENTION_DAYS,
} from "../../../functions/core/queue-limits.ts";
import {
  REPLAY_BODY_MAX_BYTES,
  REPLAY_MAX_CONCURRENCY,
  REPLAY_MAX_EDITS,
  REPLAY_MAX_UNFINISHED,
  REPLAY_NO_PROGRESS_HOURS,
  SETTLE_HOURS,
} from "../../../functions/core/replay-limits.ts";
import {
  ATTEMPTS_KEPT_DAYS,
  CLAIM_MAX_BYTES,
  CIRCUIT_FAILURES,
  CIRCUIT_PROBE_SECONDS,
  CIRCUIT_WINDOW_MIN,
  CIRCUIT_WINDOW_SECONDS,
  DELIVERY_BATCH_MAX,
  DELIVERY_RATE_MAX,
  DELIVERY_TIMEOUT_DEFAULT_MS,
  DELIVERY_TIMEOUT_MAX_MS,
  DELIVERY_TIMEOUT_MIN_MS,
  DISABLE_AFTER_HOURS,
  EMAIL_TO_MAX,
  FAILURE_GROUPS_MAX,
  MATCHES_MAX,
  MATCHES_MS,
  NOTICE_PERCENTS,
  REDELIVERIES_MAX_RUNNING,
  RESPONSE_KEPT_MAX_BYTES,
  RETRY_AFTER_MAX_HOURS,
  RETRY_DOUBLING_FIRST_SECONDS,
  RETRY_DOUBLING_HOURS,
  RETRY_JITTER,
  RETRY_SCHEDULE_SECONDS,
  SECRET_OVERLAP_DEFAULT_HOURS,
  SECRET_OVERLAP_MAX_HOURS,
  SECRETS_MAX,
  SINK_HEADERS_MAX,
  SUBSCRIPTION_BODY_MAX_BYTES,
  SUBSCRIPTION_NAME_MAX_CHARACTERS,
  SUBSCRIPTION_TEST_MAX_BYTES,
  SUBSCRIPTIONS_MAX,
} from "../../../functions/core/subscription-limits.ts";

const number = (value: number) => value.toLocaleString("en");
const kib = (bytes: number) => `${number(bytes / KIB)} KiB`;
/** Without the rounding of doubles. */
const percent = (share: number) => `${Number((100 * share).toFixed(9))} %`;
const mib = (bytes: number) => `${number(bytes / MIB)} MiB`;

/** Waits as docs/subscriptions.md writes them. */
const wait = (seconds: number) =>
  seconds < 60 ? `${seconds} s` : seconds < 3_600 ? `${seconds / 60} min` : `${seconds / 3_600} h`;
const schedule = RETRY_SCHEDULE_SECONDS.map(wait).join(", ");
const scheduleMinutes = RETRY_SCHEDULE_SECONDS.reduce((sum, seconds) => sum + seconds, 0) / 60;

/** The places in the documents that give a limit, written with the limit's value. */
const statements: [string, string][] = [
  ["README.md", `A request has up to ${number(REQUEST_MAX_EVENTS)} events and ${mib(REQUEST_MAX_BYTES)}:`],
  ["README.md", `up to ${number(TYPE_MAX_BYTES)} and ${number(SOURCE_MAX_BYTES)} bytes |`],
  ["README.md", `| \`id\` | up to ${number(ID_MAX_BYTES)} bytes;`],
  ["README.md", `names of 1 to ${EXTENSION_NAME_MAX_CHARACTERS} characters of a-z and 0-9;`],
  ["README.md", `| Request | ${number(REQUEST_MAX_EVENTS)} events, ${mib(REQUEST_MAX_BYTES)} after inflating |`],
  [
    "README.md",
    `| Event | ${kib(EVENT_MAX_BYTES)}, ${EVENT_MAX_DEPTH} levels, ${EXTENSIONS_MAX} extension attributes |`,
  ],
  ["README.md", `| List | ${number(LIST_MAX_EVENTS)} events a page;`],
  ["docs/query.md", `Events of a page, 1 to ${number(LIST_MAX_EVENTS)}; ${LIST_DEFAULT_EVENTS} where it is missing`],
  ["docs/query.md", `up to ${LINES_READ_MS / 1_000} seconds of reading`],
  ["docs/query.md", `A \`Link\` of more than ${number(LINK_MAX_CHARACTERS)} characters`],
  ["docs/query.md", `(\`Cache-Control: private, max-age=${SETTLED_MAX_AGE_SECONDS}\`)`],
  ["docs/query.md", `events wait for more than ${SHED_LAG_MS / 1_000} seconds to be stored, lists`],
  ["docs/feed.md", `events wait for more than ${SHED_LAG_MS / 1_000} seconds to be stored`],
  ["docs/errors.md", `events wait for more than ${SHED_LAG_MS / 1_000} seconds to be stored`],
  ["docs/limits.md", `An event waits for more than ${SHED_LAG_MS / 1_000} seconds to be stored`],
  ["docs/limits.md", `| ${TENANT_MAX_QUERIES} pages of lists and aggregates of one tenant under way |`],
  ["docs/runbook.md", `From ${SHED_LAG_MS / 1_000} seconds on, lists and the feed`],
  ["docs/query.md", `\`gte\` above ${number(COUNT_MAX)},`],
  ["docs/query.md", `a concurrency of its own, ${QUERY_MAX_CONCURRENCY}`],
  ["docs/deploy.md", `\`{}\` for none | | \`{"query":${QUERY_MAX_CONCURRENCY}}\` |`],
  ["README.md", `| Number | ${number(NUMBER_MAX_DIGITS)} digits when written out |`],
  ["README.md", `but ${QUEUE_RETENTION_DAYS} days if nothing receives them;`],
  ["docs/errors.md", `nested deeper than ${number(JSON_MAX_DEPTH)} levels`],
  [
    "docs/errors.md",
    `The body is over ${mib(REQUEST_MAX_BYTES)}; for keys and tenants over ${kib(ACCESS_BODY_MAX_BYTES)}, for exports and subscriptions over ${kib(EXPORT_BODY_MAX_BYTES)}, for tests of a filter over ${kib(SUBSCRIPTION_TEST_MAX_BYTES)}, for replays over ${mib(REPLAY_BODY_MAX_BYTES)}, for restores over ${kib(RESTORE_BODY_MAX_BYTES)}, for erasures over ${mib(ERASURE_BODY_MAX_BYTES)}, for holds over ${kib(HOLD_BODY_MAX_BYTES)} |`,
  ],
  ["docs/errors.md", `The body has more than ${number(REQUEST_MAX_VALUES)} members and elements |`],
  ["docs/errors.md", `The body has more than ${number(REQUEST_MAX_EVENTS)} events |`],
  ["docs/errors.md", `extension attribute (1 to ${EXTENSION_NAME_MAX_CHARACTERS} characters of a-z and 0-9)`],
  ["docs/errors.md", `The event is over ${kib(EVENT_MAX_BYTES)},`],
  ["docs/errors.md", `Nested deeper than ${EVENT_MAX_DEPTH} levels |`],
  ["docs/errors.md", `A number of more than ${number(NUMBER_MAX_DIGITS)} digits when written out;`],
  ["docs/errors.md", `errors beyond the first ${VERDICT_MAX_ERRORS} there are`],
  ["docs/errors.md", `ended the consumer ${MAX_RECEIVE_COUNT} times`],
  ["docs/values.md", `More than ${number(NUMBER_MAX_DIGITS)} digits written out |`],
  ["docs/values.md", `More than ${number(NUMBER_MAX_DIGITS)} digits after the point |`],
  ["docs/values.md", `| ${EVENT_MAX_DEPTH - 1} levels, ${EVENT_MAX_DEPTH} with the event itself |`],
  ["docs/values.md", `over ${kib(EVENT_MAX_BYTES)} an event is \`event_too_large\``],
  ["docs/values.md", `More than ${number(JSON_MAX_DEPTH)} levels |`],
  ["docs/values.md", `More than ${number(REQUEST_MAX_VALUES)} members and elements |`],
  ["docs/formats/json.md", `an array of at most ${number(REQUEST_MAX_EVENTS)}.`],
  ["docs/formats/cloudevents-batched.md", `An array of at most ${number(REQUEST_MAX_EVENTS)} events,`],
  ["docs/deploy.md", `\`POST /events\` has the API's ${number(API_RATE_LIMIT)} requests a second`],
  ["docs/deploy.md", `queries together have ${percent(API_SHARES.query)} of that`],
  ["docs/deploy.md", `those of keys ${percent(API_SHARES.access)}, those of exports ${percent(API_SHARES.export)} and`],
  [
    "docs/deploy.md",
    `of replays ${percent(API_SHARES.replay)}, those of subscriptions ${percent(API_SHARES.notify)}, those of the`,
  ],
  [
    "docs/deploy.md",
    `operator's page ${percent(API_SHARES.console)}, those of retention and restores ${percent(API_SHARES.retain)}, and`,
  ],
  ["docs/deploy.md", `those of the documentation ${percent(API_SHARES["api-docs"])}.`],
  ["docs/console.md", `within ${["zero", "one", "two", "three", "four", "five"][CODE_SECONDS / 60]} minutes`],
  ["docs/console.md", `lives for ${["seven", "eight", "nine"][SESSION_SECONDS / 3_600 - 7]} hours`],
  ["docs/limits.md", `${CODE_SECONDS / 60} minutes for a code, ${SESSION_SECONDS / 3_600} hours for a session`],
  ["docs/deploy.md", `answers a preflight at ${API_OTHER_METHODS_LIMIT} a second`],
  ["docs/deploy.md", `consume needs at least ${CONSUME_MAX_CONCURRENCY}.`],
  ["docs/runbook.md", `waited for ${DEAD_LETTER_REQUEUE_AGE_MS / 86_400_000} days is requeued.`],
  ["docs/exports.md", `deletes them after ${EXPORT_KEPT_DAYS} days`],
  ["docs/exports.md", `can be looked up for ${EXPORT_JOB_KEPT_DAYS} days`],
  ["docs/exports.md", `A part has at most ${mib(EXPORT_PART_MAX_BYTES)},`],
  ["docs/exports.md", `an export at most ${number(EXPORT_MAX_PARTS)} parts`],
  ["docs/exports.md", `at most ${EXPORT_MAX_UNFINISHED} exports that are not finished`],
  ["docs/exports.md", `${EXPORT_MAX_CONCURRENCY} steps of all tenants run at once`],
  ["docs/exports.md", `after ${EXPORT_NO_PROGRESS_HOURS} hours without progress`],
  ["docs/exports.md", `links that work for ${EXPORT_LINK_SECONDS / 60} minutes`],
  ["docs/exports.md", `${EXPORT_ANSWER_PARTS} files in one answer`],
  [
    "docs/retention.md",
    `A tenant has at most ${HOLDS_MAX} holds in force, with at most ${kib(HOLDS_FILTERS_MAX_BYTES)} of filters together`,
  ],
  ["docs/retention.md", `the newest ${["nine", "ten"][HOLD_MATCHES_MAX - 9]}.`],
  ["docs/errors.md", `has ${HOLDS_MAX} legal holds in force, or ${kib(HOLDS_FILTERS_MAX_BYTES)} of filters in them`],
  ["docs/archive.md", `up to ${mib(ARCHIVE_PART_MAX_BYTES)} of text`],
  ["docs/archive.md", `for ${kib(ARCHIVE_PAGE_MAX_BYTES)} of events`],
  ["docs/erasure.md", `up to ${number(ERASURE_MAX_IDS)} ids`],
  ["docs/erasure.md", `At most ${ERASURE_MAX_UNFINISHED} erasures of a tenant are unfinished`],
  ["docs/erasure.md", `starts after ${ERASURE_START_DELAY_SECONDS} seconds`],
  ["docs/erasure.md", `${ERASURE_BACKUP_DAYS} days behind the end`],
  ["docs/archive.md", `At most ${RESTORE_MAX_UNFINISHED} restores of a tenant are unfinished`],
  ["docs/archive.md", `at most ${number(RESTORE_MAX_MANIFESTS)} manifests and ${RESTORE_MAX_DAYS} days`],
  ["docs/archive.md", `for ${RESTORE_KEPT_DAYS} days behind the end of the job`],
  ["docs/archive.md", `whose time is over within ${RESTORE_MIN_DAYS} days is refused`],
  ["docs/replays.md", `replayed less often; ${MAX_REPLAYS} where it is missing`],
  ["docs/replays.md", `At most ${number(REPLAY_MAX_EDITS)} in a replay`],
  ["docs/replays.md", `At most ${REPLAY_MAX_UNFINISHED} jobs of a tenant are not finished`],
  ["docs/replays.md", `confirmed nothing for ${REPLAY_NO_PROGRESS_HOURS} hours`],
  ["docs/replays.md", `for ${SETTLE_HOURS} hours at most`],
  ["docs/replays.md", `${REPLAY_MAX_CONCURRENCY} steps of all tenants run at once`],
  [
    "docs/errors.md",
    `exports and subscriptions over ${kib(SUBSCRIPTION_BODY_MAX_BYTES)}, for tests of a filter over ${kib(SUBSCRIPTION_TEST_MAX_BYTES)},`,
  ],
  ["docs/errors.md", `The tenant has ${SUBSCRIPTIONS_MAX} subscriptions |`],
  ["docs/limits.md", `| ${SUBSCRIPTIONS_MAX} subscriptions of a tenant |`],
  ["docs/limits.md", `| ${REDELIVERIES_MAX_RUNNING} redeliveries of a subscription that are not finished |`],
  ["docs/subscriptions.md", `text of 1 to ${SUBSCRIPTION_NAME_MAX_CHARACTERS} characters`],
  ["docs/subscriptions.md", `at most ${SINK_HEADERS_MAX} \`headers\``],
  ["docs/subscriptions.md", `1 to ${EMAIL_TO_MAX} addresses`],
  ["docs/subscriptions.md", `1 to ${DELIVERY_BATCH_MAX} events`],
  ["docs/subscriptions.md", `no more than ${kib(CLAIM_MAX_BYTES)}`],
  ["docs/subscriptions.md", `1 to ${number(DELIVERY_RATE_MAX)} events a second`],
  [
    "docs/subscriptions.md",
    `${number(DELIVERY_TIMEOUT_MIN_MS)} to ${number(DELIVERY_TIMEOUT_MAX_MS)}; ${number(DELIVERY_TIMEOUT_DEFAULT_MS)} where it is missing`,
  ],
  ["docs/subscriptions.md", `up to ${MATCHES_MAX} events of the last day`],
  ["docs/subscriptions.md", `within ${MATCHES_MS / 1_000} seconds, up to ${number(COUNT_MAX)}`],
  ["docs/subscriptions.md", `after waits of ${schedule}:`],
  [
    "docs/subscriptions.md",
    `${RETRY_SCHEDULE_SECONDS.length + 1} tries in ${Math.floor(scheduleMinutes / 60)} h ${Math.floor(scheduleMinutes % 60)} min`,
  ],
  [
    "docs/subscriptions.md",
    `waits ${RETRY_DOUBLING_FIRST_SECONDS} s, then twice as long each time, for ${RETRY_DOUBLING_HOURS} h`,
  ],
  ["docs/subscriptions.md", `up to ${percent(RETRY_JITTER)} longer or shorter`],
  ["docs/subscriptions.md", `up to ${RETRY_AFTER_MAX_HOURS} h`],
  ["docs/subscriptions.md", `first ${kib(RESPONSE_KEPT_MAX_BYTES)}`],
  ["docs/subscriptions.md", `${CIRCUIT_FAILURES} failures one after another`],
  [
    "docs/subscriptions.md",
    `more than half of at least ${CIRCUIT_WINDOW_MIN} attempts in ${CIRCUIT_WINDOW_SECONDS / 60} minutes`,
  ],
  ["docs/subscriptions.md", `one attempt each ${CIRCUIT_PROBE_SECONDS} seconds`],
  ["docs/subscriptions.md", `After ${DISABLE_AFTER_HOURS} hours without a success`],
  [
    "docs/subscriptions.md",
    `at ${NOTICE_PERCENTS.slice(0, -1).join(", ")} and ${NOTICE_PERCENTS.at(-1)} % of this time`,
  ],
  [
    "docs/subscriptions.md",
    `for ${SECRET_OVERLAP_DEFAULT_HOURS} hours more (\`overlapHours\`: 0 to ${SECRET_OVERLAP_MAX_HOURS})`,
  ],
  ["docs/subscriptions.md", `At most ${SECRETS_MAX} secrets`],
  ["docs/subscriptions.md", `kept for ${ATTEMPTS_KEPT_DAYS} days`],
  ["docs/subscriptions.md", `the ${FAILURE_GROUPS_MAX} largest`],
  ["docs/subscriptions.md", `At most ${REDELIVERIES_MAX_RUNNING} of a subscription`],
  ["docs/subscriptions.md", `A tenant has at most ${SUBSCRIPTIONS_MAX} subscriptions`],
  ["docs/architecture.md", `of at most ${mib(MESSAGE_MAX_BYTES)}.`],
  ["docs/architecture.md", `reads up to ${number(CONSUME_BATCH_MESSAGES)} messages`],
  ["docs/architecture.md", `after ${MAX_RECEIVE_COUNT} receives SQS redrives the message`],
];

/** A limit with its unit, as the documents write them. */
const QUANTITY = /\b[\d,]+ (?:KiB|MiB|levels|digits|members and elements|extension attributes)\b/g;

describe("the limits in the documents", () => {
  it.each(statements)("%s gives the limit of the code: %s", (file, statement) => {
    expect(readFileSync(file, "utf8").replaceAll(/\s+/g, " ")).toContain(statement);
  });

  it.each(["README.md", "docs/errors.md", "docs/values.md"])("%s gives no limit that is not compared", (file) => {
    const compared = statements.filter(([name]) => name === file).flatMap(([, text]) => text.match(QUANTITY) ?? []);

    expect(compared).toEqual(expect.arrayContaining(readFileSync(file, "utf8").match(QUANTITY) ?? []));
  });
});
