/** The sizes of one event's JSON that the benchmarks use. */
export const EVENT_BYTES = [400, 1_024, 8_192, 49_152] as const;

export type BenchEvent = { id: string; source: string; type: string; time: string; data: object };

/** Makes the body of one request; the same serial gives the same body. */
export function makeBody({
  events,
  eventBytes,
  serial,
}: {
  events: number;
  eventBytes: number;
  serial: number;
}): string {
  const list = Array.from({ length: events }, (_, i) => JSON.stringify(makeEvent(serial * events + i, eventBytes)));
  return events === 1 ? (list[0] ?? "") : `[${list.join(",")}]`;
}

/**
 * Makes a complete event, with id and time, of one of the catalog's four types. Further items, context, parameters or
 * fields outside the schema fill it up to its size. Only the given id is random, so every run has the same events.
 * @param bytes the minimum size of the event's JSON
 */
export function makeEvent(serial: number, bytes: number, id = idOf(serial)): BenchEvent {
  const kind = kinds[serial % kinds.length] ?? telemetry;
  const { type, data, grow } = kind(serial);
  const event = {
    id,
    source: `/shops/${serial % 12}`,
    type,
    time: new Date(Date.UTC(2026, 10, 21, 9, 30) + serial).toISOString(),
    data,
  };
  const missing = () => bytes - JSON.stringify(event).length;
  let grown = 0;
  for (let left = missing(); left > 0; left = missing()) {
    // Grow several times at once, because measuring the size is slow.
    const steps = Math.max(1, Math.floor(left / MOST_GROWN_BYTES));
    for (let step = 0; step < steps; step++) grow(grown++);
  }
  return event;
}

/** The largest growth in one step. */
const MOST_GROWN_BYTES = 80;

const idOf = (serial: number) => `01939b3e-7c00-7${hex(serial, 3)}-8${hex(serial * 7, 3)}-${hex(serial * 104_729, 12)}`;

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0").slice(-digits);

type Kind = (serial: number) => { type: string; data: object; grow: (i: number) => void };

const order: Kind = (serial) => {
  const items: object[] = [];
  const grow = (i: number) =>
    items.push({ sku: `SKU-${1_000 + i}`, quantity: 1 + (i % 3), unitAmount: 990 + (serial % 97) });
  grow(0);
  const data = { orderId: `o-${serial}`, customerId: `c-${serial % 977}`, currency: "EUR", items };
  return { type: "com.example.order.placed", data, grow };
};

const log: Kind = (serial) => {
  const context: Record<string, unknown> = {};
  const data = { level: "info", message: `GET /orders/${serial} took ${serial % 331} ms`, service: "api", context };
  const grow = (i: number) => (context[`field${i}`] = i % 2 === 0 ? `value ${serial} of "${i}"` : serial + i / 4);
  return { type: "com.example.log.entry", data, grow };
};

const notification: Kind = (serial) => {
  const parameters: Record<string, unknown> = {};
  const data = { channel: "email", recipient: `user${serial}@example.com`, template: "order-sent", parameters };
  const grow = (i: number) => (parameters[`parameter${i}`] = `Größe ${i} für ${serial}`);
  return { type: "com.example.notification.requested", data, grow };
};

const telemetry: Kind = (serial) => {
  const data: Record<string, unknown> = {
    deviceId: `d-${serial % 211}`,
    sensor: "t1",
    value: 20 + (serial % 90) / 8,
    unit: "Cel",
  };
  const grow = (i: number) => (data[`register${i}`] = [i, serial, i % 2 === 0, (serial % 1_000) / 16]);
  return { type: "com.example.telemetry.reading", data, grow };
};

const kinds: readonly Kind[] = [order, log, notification, telemetry];
