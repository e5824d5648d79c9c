import { randomBytes } from "node:crypto";

/** Makes the JSON text of the event at an index in a request. */
export type MakeEvent = (request: number, index: number) => string;

/**
 * Makes events of exactly `eventBytes` bytes of JSON: an order of the catalog with three items, filled up by a note. The note
 * is random text, so that the database cannot compress it.
 * @throws Error for a size below that of an order without a note
 */
export function createEventMaker(eventBytes: number, source: string): MakeEvent {
  const attributes = `"source":${JSON.stringify(source)},"type":"com.example.order.placed"`;
  const order = `"orderId":"o-1048576","customerId":"c-65536","currency":"EUR","items":${JSON.stringify(ITEMS)}`;
  const rest = `",${attributes},"data":{${order},"note":"`;
  const noteBytes = eventBytes - Buffer.byteLength(`{"id":"${idOf(0, 0, 0)}${rest}"}}`);
  if (noteBytes < 0) throw new Error(`An event has at least ${eventBytes - noteBytes} bytes, not ${eventBytes}.`);
  const filling = randomBytes(noteBytes + SPARE_BYTES).toString("base64url");
  return (request, index) => {
    const start = Math.floor(Math.random() * SPARE_BYTES);
    return `{"id":"${idOf(Date.now(), request, index)}${rest}${filling.slice(start, start + noteBytes)}"}}`;
  };
}

/** Reads the number of its request from an event's id. */
export function requestOf(id: string): number {
  return Number.parseInt(id.slice(REQUEST_AT, REQUEST_AT + REQUEST_DIGITS), 16);
}

const ITEMS = [
  { sku: "A-1001", quantity: 1, unitAmount: 1999 },
  { sku: "B-2002", quantity: 3, unitAmount: 450 },
  { sku: "C-3003", quantity: 12, unitAmount: 75 },
];

/** Notes start at a random offset below this one, so that they differ. */
const SPARE_BYTES = 4096;

const REQUEST_AT = 24;
const REQUEST_DIGITS = 8;

/** Makes a unique id in the form of a UUIDv7, in order of time, as clients with databases in mind send it. */
function idOf(milliseconds: number, request: number, index: number): string {
  const time = hex(milliseconds, 12);
  const random = hex(Math.floor(Math.random() * 2 ** 28), 7);
  const last = `${hex(request, REQUEST_DIGITS)}${random.slice(3)}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(index, 3)}-8${random.slice(0, 3)}-${last}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
