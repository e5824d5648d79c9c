import type { Attempt, Delivery, FailureGroup, Retry, Subscription, WholeSubscription } from "./subscriptions-api.ts";

/** Tables of `npm run subscriptions`: a head, and the cells of a row. */
type Table<Row> = { head: string[]; cells: (row: Row) => string[] };

export const subscriptionTable: Table<Subscription> = {
  head: ["ID", "STATE", "NAME", "SINK", "ORDER", "FILTER"],
  cells: (row) => [row.id, stateOf(row), row.name, sinkText(row.sink), row.order, filterText(row)],
};

export const attemptTable: Table<Attempt> = {
  head: ["AT", "TRY", "STATUS", "CODE", "MS", "EVENT", "ERROR"],
  cells: ({ at, number, status, code, durationMs, eventId, error }) => [
    at,
    String(number),
    status,
    codeText(code),
    String(durationMs),
    eventId,
    error ?? "",
  ],
};

export const deliveryTable: Table<Delivery> = {
  head: ["STATE", "TRIES", "CODE", "TYPE", "SOURCE", "EVENT", "DUE", "DELIVERY", "ERROR"],
  cells: ({ state, attempts, code, eventType, eventSource, eventId, dueAt, id, error }) => [
    state,
    String(attempts),
    codeText(code),
    eventType,
    eventSource,
    eventId,
    dueAt ?? "",
    id,
    error ?? "",
  ],
};

export const failureTable: Table<FailureGroup> = {
  head: ["COUNT", "CODE", "ERROR", "FIRST", "LAST", "FOR EXAMPLE"],
  cells: ({ count, code, error, firstAt, lastAt, sample }) => [
    String(count),
    codeText(code),
    error,
    firstAt,
    lastAt,
    `${sample.eventType} ${sample.eventSource} ${sample.eventId}`,
  ],
};

export const retryTable: Table<Retry> = {
  head: ["ID", "STATE", "PLANNED", "TAKEN", "DELIVERED", "FAILED", "STARTED"],
  cells: ({ id, state, planned, taken, delivered, failed, createdAt }) => [
    id,
    state,
    ...[planned, taken, delivered, failed].map(String),
    createdAt,
  ],
};

/** The facts of a subscription, for `printRecord`. */
export function toRecord({ ledger, sink, filter: _filter, ...row }: WholeSubscription): Record<string, unknown> {
  const { matched, delivered, pending, failed, skipped } = ledger;
  return {
    ...row,
    sink: sinkText(sink),
    filter: filterText({ filter: _filter }),
    ledger: `${matched} matched = ${delivered} delivered + ${pending} pending + ${failed} failed + ${skipped} skipped`,
  };
}

/** Why it is disabled stands beside the state. */
export function stateOf({ state, disabledReason, failingSince }: Subscription): string {
  if (disabledReason !== undefined && disabledReason !== "requested") return `${state} (${disabledReason})`;
  return failingSince === undefined ? state : `${state}, failing since ${failingSince}`;
}

/** The type of a sink and its address, whichever member has it. */
function sinkText({ type, ...members }: Subscription["sink"]): string {
  const addresses = [members["url"], members["to"], members["topicArn"], members["queueUrl"]].flat();
  return [type, ...addresses.filter((text) => typeof text === "string")].join(" ");
}

const filterText = ({ filter }: { filter?: unknown }) => (filter === undefined ? "all events" : JSON.stringify(filter));

const codeText = (code: number | null) => (code === null ? "" : String(code));
