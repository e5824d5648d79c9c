import { setTimeout as delay } from "node:timers/promises";
import { reasonOf } from "../../cli/reason-of.ts";
import { SET_BY_SLUICE } from "../../functions/core/attributes.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import { isSameJson } from "../../functions/core/same-json.ts";
import type { EventLine } from "./event-lines.ts";
import type { Api } from "./post-events.ts";

export type ReadBack = { line: number; isEqual: boolean; why: string };

/** Counts from the last event that was found: a paused database starts in about fifteen seconds, and a batch has a window. */
const GIVE_UP_AFTER_MS = 60_000;
const PAUSE_MS = 250;
const REQUEST_TIMEOUT_MS = 15_000;

/** Requests whose events are read at the same time; more are not faster on one machine. */
const REQUESTS_AT_ONCE = 8;

export type ReadBackOptions = {
  onResult: (result: ReadBack) => void;
  /** Ends the reading; events that were not read yet have no result. */
  signal?: AbortSignal;
};

/** Reads accepted events back, beside the sending of others, and compares each with the event that was sent. */
export function createReadBack({ url, key }: Api, { onResult, signal }: ReadBackOptions) {
  const reading = new Set<Promise<void>>();
  let until = Date.now() + GIVE_UP_AFTER_MS;

  return {
    /** Begins to read the events of a request; resolves when another request may come, so that memory is bounded. */
    async add(lines: EventLine[]): Promise<void> {
      const done = readAll(lines).finally(() => reading.delete(done));
      reading.add(done);
      while (reading.size >= REQUESTS_AT_ONCE) await Promise.race(reading);
    },
    async end(): Promise<void> {
      await Promise.all(reading);
    },
  };

  async function readAll(lines: EventLine[]): Promise<void> {
    for (const each of lines) {
      const result = await readOne(each);
      if (result !== undefined) onResult(result);
    }
  }

  /** Gets an event until it is stored. */
  async function readOne({ line, json }: EventLine): Promise<ReadBack | undefined> {
    const sent = parseLossless(json).lossless as Record<string, unknown>;
    const query = `source=${encodeURIComponent(String(sent["source"]))}`;
    const address = `${url}/events/${encodeURIComponent(String(sent["id"]))}?${query}`;
    for (;;) {
      if (signal?.aborted) return undefined;
      const { status, text } = await get(address, key);
      if (status === 200) {
        until = Date.now() + GIVE_UP_AFTER_MS;
        return compare(line, sent, parseLossless(text).lossless as Record<string, unknown>);
      }
      if (Date.now() > until) {
        const answer = status === undefined ? text : `HTTP ${status}`;
        return { line, isEqual: false, why: `was not stored; the last answer was ${answer}` };
      }
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** An event that was read and is sent again may have another time of receipt, and the tenant of its reader. */
export function compare(line: number, sent: Record<string, unknown>, stored: Record<string, unknown>): ReadBack {
  const own = Object.keys(sent).filter((name) => !SET_BY_SLUICE.has(name));
  const changed = own.filter((name) => !isSameJson(sent[name], stored[name]));
  return { line, isEqual: changed.length === 0, why: `came back with another ${changed.join(", ")}` };
}

async function get(address: string, key: string): Promise<{ status?: number; text: string }> {
  try {
    const response = await fetch(address, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { text: reasonOf(error) };
  }
}
