import * as fc from "fast-check";
import type { Event } from "../../functions/core/event.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";

const RECEIVED_AT = "2026-11-21T09:30:00.000Z";

/** An event that ingest would accept; changes go to the event or to the attributes that ingest adds. */
export function storable(
  changes: Partial<Event> = {},
  { tenant = "default", receivedAt = RECEIVED_AT, origin }: Partial<Omit<StorableEvent, "event">> = {},
): StorableEvent {
  return {
    tenant,
    receivedAt,
    ...(origin !== undefined && { origin }),
    event: { id: "1", source: "/s", type: "com.example.sample", time: "2026-11-21T09:29:59.123Z", ...changes },
  };
}

/** Events with the ids `<prefix>0`, `<prefix>1` … */
export function storables(count: number, prefix: string, changes: Partial<Event> = {}): StorableEvent[] {
  return Array.from({ length: count }, (_, i) => storable({ ...changes, id: `${prefix}${i}` }));
}

/** Any JSON value that ingest accepts: no U+0000, no half surrogates, no `__proto__`. */
export const jsonData: fc.Arbitrary<unknown> = (() => {
  const text = fc.string({ unit: "binary", maxLength: 20 }).filter((each) => !each.includes("\0"));
  const key = text.filter((each) => each !== "__proto__");
  const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
  const scalar = fc.oneof(fc.constant(null), fc.boolean(), number, text);
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  // -0 is no other number than 0 in JSON's terms, but in JavaScript's.
  return value.map((each) => JSON.parse(JSON.stringify(each)) as unknown);
})();
