import { CHUNK_MAX_EVENTS } from "../../core/database-limits.ts";
import type { StorableEvent } from "../../core/ports.ts";

/** The events of one tenant and producer in a call; the producer is undefined for events without a number. */
type Group = { index: number; tenant: string; producer: string | undefined; numbers: number[]; events: number };

/** The parameter `origins` of store_batch, as functions/sql/0001_events.sql documents it, of events in the order of their lines. */
export function writeOrigins(events: readonly StorableEvent[]): string {
  const groupOf = createGroups();
  const of: number[] = [];
  const numbers: number[] = [];
  for (const event of events) {
    const group = groupOf(event);
    const sequence = event.origin?.sequence ?? 0;
    group.events += 1;
    group.numbers.push(sequence);
    of.push(group.index);
    numbers.push(sequence);
  }
  const groups = groupOf.all().map(toMember);
  return JSON.stringify({ groups, of: of.join(" "), numbers: numbers.join(" ") });
}

/**
 * Counts the bytes that events add to the parameter, one after the other, its escapes in the call's JSON included; some bytes a
 * run of numbers too many, and never too few.
 */
export function createOriginMeter(): (event: StorableEvent) => number {
  const groupOf = createGroups();
  /** The number behind the last one of each group. */
  const next: number[] = [];
  return (event) => {
    const group = groupOf(event);
    const isNew = next[group.index] === undefined;
    const sequence = event.origin?.sequence ?? 0;
    const isRun = event.origin !== undefined && next[group.index] !== sequence;
    next[group.index] = sequence + 1;
    const ofLine = digitsOf(group.index) + digitsOf(sequence) + 2 * " ".length;
    const ofRun = isRun ? digitsOf(sequence) + digitsOf(sequence + CHUNK_MAX_EVENTS) + "[,),".length : 0;
    return ofLine + ofRun + (isNew ? groupBytes(group) : 0);
  };
}

const digitsOf = (count: number): number => String(count).length;

/** A group without its numbers. */
const groupBytes = (group: Group): number =>
  Buffer.byteLength(JSON.stringify(JSON.stringify(toMember({ ...group, numbers: [], events: CHUNK_MAX_EVENTS }))));

/** Finds the groups of events, of which those of a message come one after the other. */
function createGroups() {
  const groups = new Map<string, Group>();
  let last: Group | undefined;
  const groupOf = ({ tenant, origin }: StorableEvent): Group => {
    const producer = origin?.producer;
    if (last !== undefined && last.tenant === tenant && last.producer === producer) return last;
    const key = `${producer ?? ""} ${tenant}`;
    last = groups.get(key);
    if (last === undefined) {
      last = { index: groups.size, tenant, producer, numbers: [], events: 0 };
      groups.set(key, last);
    }
    return last;
  };
  return Object.assign(groupOf, { all: () => [...groups.values()] });
}

function toMember({ tenant, producer, numbers, events }: Group) {
  return { tenant, producer, ...(producer !== undefined && { numbers: toMultirange(numbers) }), events };
}

/** The text of a multirange of PostgreSQL, whose ranges have their beginnings and not their ends. */
function toMultirange(numbers: readonly number[]): string {
  const runs: { first: number; end: number }[] = [];
  for (const number of Float64Array.from(numbers).toSorted()) {
    const last = runs.at(-1);
    if (last !== undefined && last.end >= number) last.end = number + 1;
    else runs.push({ first: number, end: number + 1 });
  }
  return `{${runs.map(({ first, end }) => `[${first},${end})`).join(",")}}`;
}
