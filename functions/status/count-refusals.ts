import { forEachConcurrently } from "../core/for-each-concurrently.ts";
import { REFUSAL_COUNTED_MESSAGES, REFUSAL_SAMPLES, REFUSAL_WRITES_IN_FLIGHT } from "../core/refusal-limits.ts";
import { type HistoryTable, minuteOf, type RefusedPart } from "../core/history.ts";
import {
  OTHERS,
  type RefusalCause,
  type RefusalCount,
  refusalGroupId,
  type RefusalSample,
  type RefusalsMessage,
  type RefusalStore,
  type StoredRefusals,
} from "../core/refusal.ts";
import { INSTALLATION } from "../core/scopes.ts";

/**
 * Adds the refusals of an invocation's messages to the groups of their tenants and days, and to the history. A group counts a message once while it
 * remembers it, so a call that failed half way is made again with the same messages.
 * @throws AccessError where a group could not be written
 */
export function createCountRefusals(
  store: Pick<RefusalStore, "admit" | "change">,
  history: Pick<HistoryTable, "addRefused">,
) {
  return async function countRefusals(messages: readonly RefusalsMessage[]): Promise<void> {
    const days = byDay(messages);
    for (const [day, tenants] of tenantsByDay(days)) await store.admit(INSTALLATION, day, tenants);
    for (const { tenant, day, causes } of days) {
      const ids = [...causes.keys()].filter((id) => id !== OTHERS_ID);
      const admitted = await store.admit(tenant, day, ids);
      await forEachConcurrently(joinOthers(causes, admitted), REFUSAL_WRITES_IN_FLIGHT, ({ id, cause, parts }) =>
        store.change({ tenant, day, id }, (stored) => addParts(stored, cause, parts)),
      );
    }
    for (const [tenant, parts] of partsByTenant(messages)) await history.addRefused(tenant, parts);
  };
}

/** The refused events in each message by tenant, and of all tenants. A message is of some seconds, and counts in its last minute. */
function partsByTenant(messages: readonly RefusalsMessage[]): Map<string, RefusedPart[]> {
  const tenants = new Map<string, Map<string, RefusedPart>>();
  for (const { id: message, groups } of distinct(messages)) {
    for (const { tenant, events, last } of groups) {
      for (const each of [tenant, INSTALLATION]) {
        const parts = tenants.get(each) ?? new Map<string, RefusedPart>();
        tenants.set(each, parts);
        const known = parts.get(message) ?? { message, at: 0, count: 0 };
        parts.set(message, {
          message,
          at: Math.max(known.at, minuteOf(Date.parse(last))),
          count: known.count + events,
        });
      }
    }
  }
  return new Map([...tenants].map(([tenant, parts]) => [tenant, [...parts.values()]]));
}

/** SQS may deliver two copies of a message in one batch. */
const distinct = (messages: readonly RefusalsMessage[]): Iterable<RefusalsMessage> =>
  new Map(messages.map((each) => [each.id, each])).values();

/** The refusals of one cause, by the id of the message that has them. */
type Cause = { id: string; cause: RefusalCause; parts: Map<string, RefusalCount> };

type Day = { tenant: string; day: string; causes: Map<string, Cause> };

const OTHERS_ID = refusalGroupId(OTHERS);

function byDay(messages: readonly RefusalsMessage[]): Day[] {
  const days = new Map<string, Day>();
  for (const { id: message, groups } of distinct(messages)) {
    for (const { tenant, day, code, type, pointer, ...count } of groups) {
      const key = JSON.stringify([tenant, day]);
      const ofDay = days.get(key) ?? { tenant, day, causes: new Map<string, Cause>() };
      days.set(key, ofDay);
      addPart(ofDay.causes, { code, type, pointer }, message, count);
    }
  }
  return [...days.values()];
}

function tenantsByDay(days: readonly Day[]): Map<string, string[]> {
  const tenants = new Map<string, string[]>();
  for (const { tenant, day } of days) tenants.set(day, [...(tenants.get(day) ?? []), tenant]);
  return tenants;
}

function addPart(causes: Map<string, Cause>, cause: RefusalCause, message: string, count: RefusalCount): void {
  const id = refusalGroupId(cause);
  const known = causes.get(id) ?? { id, cause, parts: new Map<string, RefusalCount>() };
  causes.set(id, known);
  const before = known.parts.get(message);
  known.parts.set(message, before === undefined ? count : sum(before, count));
}

/** Counts the causes without room as others. */
function joinOthers(causes: ReadonlyMap<string, Cause>, admitted: ReadonlySet<string>): Cause[] {
  const joined = new Map<string, Cause>();
  for (const { id, cause, parts } of causes.values()) {
    const target = admitted.has(id) ? cause : OTHERS;
    for (const [message, count] of parts) addPart(joined, target, message, count);
  }
  return [...joined.values()];
}

/** A group with the parts that it has not counted; undefined where it has counted all. */
function addParts(
  stored: StoredRefusals | undefined,
  cause: RefusalCause,
  parts: ReadonlyMap<string, RefusalCount>,
): StoredRefusals | undefined {
  const counted = stored?.counted ?? [];
  const known = new Set(counted);
  const added = [...parts].filter(([message]) => !known.has(message));
  const total = added.reduce<RefusalCount | undefined>(
    (before, [, part]) => (before === undefined ? part : sum(before, part)),
    stored,
  );
  if (total === undefined || added.length === 0) return undefined;
  const { count, first, last, samples } = total;
  const remembered = Math.max(REFUSAL_COUNTED_MESSAGES, added.length);
  const messages = [...counted, ...added.map(([message]) => message)].slice(-remembered);
  return { ...cause, count, first, last, samples, counted: messages };
}

function sum(a: RefusalCount, b: RefusalCount): RefusalCount {
  return {
    count: a.count + b.count,
    first: a.first < b.first ? a.first : b.first,
    last: a.last > b.last ? a.last : b.last,
    samples: [...a.samples, ...b.samples].toSorted(latestFirst).slice(0, REFUSAL_SAMPLES),
  };
}

function latestFirst(a: RefusalSample, b: RefusalSample): number {
  if (a.at === b.at) return 0;
  return a.at > b.at ? -1 : 1;
}
