import { randomBytes } from "node:crypto";

/** Makes the JSON text of an event by the number of its request and its place there. */
export type MakeEvent = (request: number, index: number) => string;

/**
 * Events of exactly `eventBytes` bytes of JSON as the client sends them: an order of the catalog with three items and a
 * note that fills it up. The note is random text, so that the database's compression cannot make it small.
 * @throws Error for a size that not even an order without a note fits into
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

/** The number of the request that an event came in. */
export function requestOf(id: string): number {
  return Number.parseInt(id.slice(REQUEST_AT, REQUEST_AT + REQUEST_DIGITS), 16);
}

const ITEMS = [
  { sku: "A-1001", quantity: 1, unitAmount: 1999 },
  { sku: "B-2002", quantity: 3, unitAmount: 450 },
  { sku: "C-3003", quantity: 12, unitAmount: 75 },
];

/** Notes begin anywhere in this much of the filling, so that they differ. */
const SPARE_BYTES = 4096;

const REQUEST_AT = 24;
const REQUEST_DIGITS = 8;

/** Of the form of a UUIDv7, which clients that know their database use: in order of time, and unlike any other. */
function idOf(milliseconds: number, request: number, index: number): string {
  const time = hex(milliseconds, 12);
  const random = hex(Math.floor(Math.random() * 2 ** 28), 7);
  const last = `${hex(request, REQUEST_DIGITS)}${random.slice(3)}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(index, 3)}-8${random.slice(0, 3)}-${last}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
