import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { EventLine } from "./event-lines.ts";

export type ReadBack = { line: number; isEqual: boolean; why: string };

/** A paused database takes some fifteen seconds to resume, and a batch waits for its window. */
const WITHIN_MS = 60_000;
const PAUSE_MS = 250;

/** Asks for an accepted event until it is stored, and compares each of its members with what was sent. */
export async function readBack(url: string, { line, json }: EventLine): Promise<ReadBack> {
  const sent = JSON.parse(json) as Record<string, unknown>;
  const address = `${url}/events/${encodeURIComponent(String(sent["id"]))}?source=${encodeURIComponent(String(sent["source"]))}`;
  let why = "";
  for (const deadline = Date.now() + WITHIN_MS; Date.now() < deadline; await delay(PAUSE_MS)) {
    const { status, text } = await get(address);
    why = status === undefined ? text : `HTTP ${status}`;
    if (status === 200) return compare(line, sent, JSON.parse(text) as Record<string, unknown>);
  }
  return { line, isEqual: false, why: `was not stored within ${WITHIN_MS / 1_000} s: ${why}` };
}

function compare(line: number, sent: Record<string, unknown>, stored: Record<string, unknown>): ReadBack {
  const changed = Object.keys(sent).filter((name) => !isDeepStrictEqual(unsigned(sent[name]), stored[name]));
  return { line, isEqual: changed.length === 0, why: `came back with another ${changed.join(", ")}` };
}

/** PostgreSQL's zero has no sign (docs/values.md). */
const unsigned = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, each: unknown) => (each === 0 ? 0 : each)));

async function get(address: string): Promise<{ status?: number; text: string }> {
  try {
    const response = await fetch(address);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { text: error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error) };
  }
}
