import { setTimeout as delay } from "node:timers/promises";
import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "../access/api-client.ts";
import type { Api } from "../send/post-events.ts";
import type { LoadEvent } from "./mix.ts";

/** The events of one tenant in this run: no other event has their source. */
export type LoadSource = { tenant: string | undefined; source: string };

const MINUTE_MS = 60_000;

/** Counts the stored events of a run. Undefined while the API answers no queries, for example because it is behind. */
export async function countStored(api: ApiClient, sources: readonly LoadSource[], startedAt: number) {
  // Whole minutes, and one more for the clock of another machine: such a range is answered without reading events.
  const range = [startedAt - MINUTE_MS, Date.now() + 2 * MINUTE_MS].map((ms) => ms - (ms % MINUTE_MS));
  try {
    const counts = await Promise.all(sources.map((each) => countSource(api, each, range)));
    return counts.reduce((sum, each) => sum + each, 0);
  } catch {
    return undefined;
  }
}

async function countSource(api: ApiClient, { tenant, source }: LoadSource, [from = 0, to = 0]: readonly number[]) {
  let count = 0;
  for (let begin = new Date(from).toISOString(); ; ) {
    const body = { filter: { exact: { source } }, from: begin, to: new Date(to).toISOString(), measures: ["count"] };
    const { rows, metadata } = await api.call(
      { method: "POST", path: "/events/aggregate", body, tenant },
      schemas.Aggregate,
    );
    for (const row of rows) count += Number(row["count"]);
    if (metadata.complete) return count;
    if (metadata.reached <= begin) throw new Error("The count did not come further.");
    begin = metadata.reached;
  }
}

/** Counts the dead letters of a run. Undefined where the key may not read them. */
export async function countDeadLetters(api: ApiClient, sources: readonly LoadSource[]): Promise<number | undefined> {
  try {
    const answers = await Promise.all(
      sources.map(({ tenant, source }) =>
        api.call({ method: "GET", path: "/dead-letters/groups", query: { source }, tenant }, schemas.DeadLetterGroups),
      ),
    );
    return answers.flatMap(({ groups }) => groups).reduce((sum, { count }) => sum + count, 0);
  } catch {
    return undefined;
  }
}

/** A read of a probe follows the one before after this time, which is the error of what it measures. */
const PROBE_PAUSE_MS = 50;

/** A new probe begins no sooner, so that reading is a small part of the load. */
const PROBE_EVERY_MS = 250;

/** As long as an API behind a database that starts may take. */
const PROBE_TIMEOUT_MS = 60_000;

/** Reads some of the accepted events until they are there, and measures how long that takes. */
export function createProbes(signal: AbortSignal) {
  const waiting = new Set<number>();
  const milliseconds: number[] = [];
  let last = Number.NEGATIVE_INFINITY;

  async function probe({ url, key, tenant }: Api, { id, source }: LoadEvent, accepted: number): Promise<void> {
    const address = `${url}/events/${encodeURIComponent(id)}?source=${encodeURIComponent(source)}`;
    const headers = { authorization: `Bearer ${key}`, ...(tenant !== undefined && { "sluice-tenant": tenant }) };
    waiting.add(accepted);
    while (!signal.aborted && performance.now() - accepted < PROBE_TIMEOUT_MS) {
      const response = await fetch(address, { headers, signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
        () => undefined,
      );
      await response?.arrayBuffer().catch(() => undefined);
      if (response?.status === 200) {
        milliseconds.push(performance.now() - accepted);
        break;
      }
      await delay(PROBE_PAUSE_MS);
    }
    waiting.delete(accepted);
  }

  return {
    /** From the acceptance to the first read, of each probe that was found. */
    milliseconds,
    /** Begins to read an event that was accepted just now, unless the last probe began a moment ago. */
    offer(api: Api, event: LoadEvent): void {
      const now = performance.now();
      if (now - last < PROBE_EVERY_MS) return;
      last = now;
      void probe(api, event, now);
    },
    /** The time by which the store is behind: the age of the oldest probe that waits, or else the time of the last one. */
    lagMs(): number | undefined {
      const [oldest] = waiting;
      return oldest === undefined ? milliseconds.at(-1) : performance.now() - oldest;
    },
  };
}
