import type { StorableEvent } from "../../core/ports.ts";

/** The events of one tenant and producer in a call. */
type Group = { index: number; tenant: string; producer: string | undefined; numbers: number[]; events: number };

/** The parameter `origins` of store_batch, as functions/sql/0001_events.sql documents it, of events in the order of their lines. */
export function writeOrigins(events: readonly StorableEvent[]): string {
  const groups = new Map<string, Group>();
  const of: number[] = [];
  const numbers: number[] = [];
  for (const event of events) {
    const { tenant, origin } = event;
    const key = groupKey(event);
    let group = groups.get(key);
    if (group === undefined) {
      group = { index: groups.size, tenant, producer: origin?.producer, numbers: [], events: 0 };
      groups.set(key, group);
    }
    group.events += 1;
    if (origin !== undefined) group.numbers.push(origin.sequence);
    of.push(group.index);
    numbers.push(origin?.sequence ?? 0);
  }
  return JSON.stringify({ groups: [...groups.values()].map(toMember), of: of.join(" "), numbers: numbers.join(" ") });
}

/**
 * Counts the bytes that events add to the parameter, one after the other, its escapes in the call's JSON included; at most some
 * bytes a group too many, and never too few.
 */
export function createOriginMeter(): (event: StorableEvent) => number {
  const groups = new Map<string, { next: number }>();
  return (event) => {
    const { tenant, origin } = event;
    const key = groupKey(event);
    const known = groups.get(key);
    const sequence = origin?.sequence ?? 0;
    const digits = String(sequence).length + 1;
    const group = { index: 0, tenant, producer: origin?.producer, numbers: [], events: 0 };
    const groupBytes = known === undefined ? Buffer.byteLength(JSON.stringify(JSON.stringify(toMember(group)))) : 0;
    const runBytes = origin === undefined || known?.next === sequence ? 0 : 2 * digits + RUN_BYTES;
    groups.set(key, { next: sequence + 1 });
    return groupBytes + runBytes + digits + PLACE_BYTES;
  };
}

/** The brackets and commas of a run of numbers, whose end may have a digit more than its beginning. */
const RUN_BYTES = "[,),".length + 1;
/** The index of a group, of which there are at most as many as events, and the number of its events. */
const PLACE_BYTES = "1999 ".length;

const groupKey = ({ tenant, origin }: StorableEvent) => `${origin?.producer ?? ""} ${tenant}`;

function toMember({ tenant, producer, numbers, events }: Group) {
  return { tenant, producer, ...(producer !== undefined && { numbers: toMultirange(numbers) }), events };
}

/** The text of a multirange of PostgreSQL, which has the beginning of a range and not its end. */
function toMultirange(numbers: readonly number[]): string {
  const runs: { first: number; end: number }[] = [];
  for (const number of Float64Array.from(numbers).toSorted()) {
    const last = runs.at(-1);
    if (last !== undefined && last.end >= number) last.end = number + 1;
    else runs.push({ first: number, end: number + 1 });
  }
  return `{${runs.map(({ first, end }) => `[${first},${end})`).join(",")}}`;
}
