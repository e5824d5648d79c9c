/** Bytes of one event as JSON: the sizes every benchmark draws from. */
export const EVENT_BYTES = [400, 1_024, 8_192, 49_152] as const;

export type PayloadEvent = {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  time: string;
  data: Record<string, unknown>;
};

/**
 * Makes events of exactly so many bytes of JSON: short and long texts, numbers, a list, nothing that compresses to
 * nothing. The same seed makes the same data.
 * @param makeId gives each its id; 36 characters, as a UUID has
 */
export function createPayloads(eventBytes: number, makeId: () => string, seed = 1): () => PayloadEvent {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const words = (bytes: number): string => {
    let text = "";
    while (text.length < bytes) text += `${pick(WORDS)}${Math.floor(random() * 1_000)} `;
    return text.slice(0, bytes);
  };
  return () => {
    const event: PayloadEvent = {
      specversion: "1.0",
      id: makeId(),
      source: "https://shop.example.com/orders",
      type: "com.example.order.noted",
      time: TIME,
      data: { order: Math.floor(random() * 1e9), total: Math.floor(random() * 1e6) / 100, notes: [] },
    };
    const notes = event.data["notes"] as string[];
    const missing = () => eventBytes - JSON.stringify(event).length;
    // A note takes its text, two quotes and a comma.
    while (missing() > 2 * NOTE_BYTES) notes.push(words(NOTE_BYTES - 3));
    notes.push("");
    notes[notes.length - 1] = words(Math.max(0, missing()));
    return event;
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TIME = "2026-11-21T09:30:00.000Z";
const NOTE_BYTES = 80;
const WORDS = ["order", "paid", "parcel", "customer", "street", "colour", "return", "voucher", "north", "seven"];
