import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { BenchOptions } from "../benchmark.ts";
import { measureReadable, measureThroughput } from "../pipeline/measure.ts";
import { startPipeline } from "../pipeline/pipeline.ts";
import { measureAlternately, type Series } from "../rounds.ts";
import { DAYS, loadRows } from "./load-rows.ts";

/** Clients that each ask for one page of a long scan after the other. */
export const SCANS = 50;

const SHAPE = { perRequest: 100, eventBytes: 1_024 };

export const ALONE = "alone";
export const BESIDE = `beside ${SCANS} scans`;

/** From 202 to readable in the whole local stack at a quarter of its maximum rate, with and without scans of the same tenant. */
export async function measureBesideScans({ rounds, quick, log }: BenchOptions, rows: number): Promise<Series> {
  const pipeline = await startPipeline("ours");
  try {
    const { eventsPerSecond: most } = await measureThroughput(pipeline, { ...SHAPE, events: quick ? 10_000 : 40_000 });
    await pipeline.reset();
    const owner = new Client(pipeline.postgres.url);
    await owner.connect();
    try {
      await loadRows([owner], ["default"], rows);
    } finally {
      await owner.end();
    }
    const eventsPerSecond = Math.floor(most / 4 / SHAPE.perRequest) * SHAPE.perRequest;
    log(`${eventsPerSecond} events/s beside ${rows} rows in ${DAYS} partitions`);
    const answers: Record<string, number> = {};
    const p99 = async () => {
      const seconds = quick ? 10 : 20;
      const { acceptedToReadableMs } = await measureReadable(pipeline, {
        ...SHAPE,
        eventsPerSecond,
        seconds,
        keepRows: true,
      });
      return acceptedToReadableMs.p99 / 1_000;
    };
    const series = await measureAlternately(
      `${eventsPerSecond.toLocaleString("en-US")} events/s`,
      "s, p99",
      [
        { name: ALONE, round: p99 },
        {
          name: BESIDE,
          async round() {
            let isOver = false;
            const scans = Array.from({ length: SCANS }, () => scanUntil(pipeline, () => isOver, answers));
            try {
              return await p99();
            } finally {
              // Their last pages would slow the next round.
              isOver = true;
              await Promise.all(scans);
            }
          },
        },
      ],
      { rounds, warmUps: 1 },
    );
    log(`answers to scans: ${JSON.stringify(answers)}`);
    if ((answers["200"] ?? 0) === 0) throw new Error(`No scan was answered: ${JSON.stringify(answers)}`);
    return series;
  } finally {
    await pipeline.stop();
  }
}

/** Asks for page after page of a filter that matches nothing, and counts the answers by status. */
async function scanUntil(
  { url, apiKey }: { url: string; apiKey: string },
  isOver: () => boolean,
  answers: Record<string, number>,
): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}` };
  for (let cursor = ""; !isOver(); ) {
    const response = await fetch(`${url}/events?data.unit[contains]=no-such-text${cursor}`, { headers });
    answers[response.status] = (answers[response.status] ?? 0) + 1;
    const { next } = (await response.json()) as { next?: string | null };
    cursor = typeof next === "string" ? `&cursor=${encodeURIComponent(next)}` : "";
    if (!response.ok) await delay(1_000 * Number(response.headers.get("retry-after") ?? PAUSE_SECONDS));
  }
}

/** After a refusal that names no time. */
const PAUSE_SECONDS = 1;
