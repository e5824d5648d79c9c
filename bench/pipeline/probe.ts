import { setTimeout as delay } from "node:timers/promises";
import { createEventMaker } from "./events.ts";
import type { Pipeline } from "./pipeline.ts";

/**
 * Posts single events at a steady pace until `done`, and polls the database until each can be read, commit included.
 * @returns milliseconds from each event's 202 until it could be read, at most POLL_MS too long
 * @throws Error if an event is not answered 202, or not readable within a minute
 */
export async function probeReadable(
  pipeline: Pick<Pipeline, "url" | "apiKey" | "readable">,
  { source, eventBytes, done }: { source: string; eventBytes: number; done: Promise<unknown> },
): Promise<number[]> {
  const makeEvent = createEventMaker(eventBytes, source);
  const waiting = new Map<string, number>();
  const milliseconds: number[] = [];
  const over = new AbortController();
  const stop = () => over.abort();
  done.then(stop, stop);

  const headers = { "content-type": "application/json", authorization: `Bearer ${pipeline.apiKey}` };
  const send = async () => {
    for (let index = 0; !over.signal.aborted; index++) {
      const body = makeEvent(index, 0);
      const response = await fetch(`${pipeline.url}/events`, { method: "POST", headers, body });
      await response.arrayBuffer();
      if (response.status !== 202) throw new Error(`A probe was answered ${response.status}.`);
      waiting.set((JSON.parse(body) as { id: string }).id, performance.now());
      await delay(PACE_MS);
    }
  };
  const poll = async () => {
    while (!over.signal.aborted || waiting.size > 0) {
      await delay(POLL_MS);
      const found = waiting.size === 0 ? [] : await pipeline.readable([...waiting.keys()]);
      const now = performance.now();
      for (const id of found) {
        milliseconds.push(now - (waiting.get(id) ?? now));
        waiting.delete(id);
      }
      const [oldest = now] = waiting.values();
      if (now - oldest > LOST_MS) throw new Error(`${waiting.size} probes were never readable.`);
    }
  };
  await Promise.all([send().finally(stop), poll()]);
  return milliseconds;
}

/** Ten per second: enough for quantiles over some seconds, and no load. */
const PACE_MS = 100;
const POLL_MS = 20;
const LOST_MS = 60_000;
