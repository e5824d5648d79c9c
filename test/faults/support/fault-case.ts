import { randomUUID } from "node:crypto";
import { expect, inject, it } from "vitest";
import { eventually } from "../../e2e/support.ts";
import { type MessageAtRest, readMessageAtRest, type Row } from "../checker/at-rest.ts";
import { check } from "../checker/check.ts";
import { fingerprint } from "../checker/fingerprint.ts";
import { createHistory, type History } from "../checker/history.ts";
import type { Report } from "../checker/report.ts";
import { type Client, createClient, type SentEvent } from "./client.ts";
import { saveMeasured } from "./measured.ts";
import type { World } from "./world.ts";

/** One fault case: a source of its own, its history, and the switches of the world it runs in. */
export type Scene = Client & {
  world: World;
  history: History;
  source: string;
  /** Events of this case's source with new ids; `data` gets the event's index. */
  events: (count: number, data?: (index: number) => unknown) => SentEvent[];
  /** From now on what is sent stays in the queue, until the faults of `world.sqs` are changed. */
  hold: () => Promise<void>;
  /** Takes every fault back; what is left of the case's time counts as draining. Done at the end where not before. */
  heal: () => Promise<void>;
  /** Waits until nothing is left in the queue; ms since `heal`. */
  atRest: () => Promise<number>;
  /** A figure for the table of docs/reliability.md. */
  note: (text: string) => void;
};

type Options = {
  /** Events that end in the dead-letter queue. @default 0 */
  deadLetters?: number;
  /** From healing until nothing is left in the queue, ms. @default 30,000 */
  drainWithinMs?: number;
};

/** As many events as this run is to have: a few hundred in a pull request, thousands in a full run. */
export const sized = (pullRequest: number, full: number): number =>
  inject("faultSize") === "full" ? full : pullRequest;

/**
 * Runs a named case: the fault while `body` runs, then healing, then the wait until all is at rest, then the checker
 * over everything clients were told and everything that is stored, dead-lettered or queued.
 */
export function faultCase(
  id: string,
  title: string,
  world: () => World,
  body: (scene: Scene) => Promise<void>,
  { deadLetters = 0, drainWithinMs = 30_000 }: Options = {},
): void {
  it(`${id} ${title}`, async () => {
    const { scene, healedAt, notes } = stage(id, world());
    await clean(world());
    try {
      await body(scene);
    } finally {
      if (healedAt() === undefined) await scene.heal();
    }
    const drainMs = await scene.atRest();
    const report = await checkAtRest(scene);

    expect(report.ok, report.text).toBe(true);
    expect(report.counts.acknowledged, report.text).toBeGreaterThan(0);
    expect(report.counts.deadLettered, report.text).toBe(deadLetters);
    expect(drainMs).toBeLessThan(drainWithinMs);
    saveMeasured({ id, title, counts: report.counts, timeToStable: report.timeToStable, drainMs, notes });
  });
}

function stage(id: string, world: World) {
  const source = `/faults/${id}/${randomUUID()}`;
  const history = createHistory();
  const notes: string[] = [];
  let healed: number | undefined;
  const scene: Scene = {
    ...createClient(world.addresses.url, history),
    world,
    history,
    source,
    events: (count, data = (index) => ({ index })) =>
      Array.from({ length: count }, (_, index) => ({
        id: randomUUID(),
        source,
        type: "com.example.fault",
        data: data(index),
      })),
    async hold() {
      world.sqs.setFaults({ kind: "unavailable", action: "ReceiveMessage" });
      // Polls that are open already end with the next message.
      await scene.deliver(scene.events(1));
      await scene.atRest();
    },
    async heal() {
      await world.heal();
      healed = Date.now();
    },
    async atRest() {
      await eventually(world.queue.depth, (depth) => depth === 0, REST_MS).catch((cause: unknown) => {
        throw new Error(`The queue did not come to rest. The log ends:\n${world.lines.slice(-5).join("\n")}`, {
          cause,
        });
      });
      return Date.now() - (healed ?? Date.now());
    },
    note: (text) => notes.push(text),
  };
  return { scene, notes, healedAt: () => healed };
}

/** A case that failed leaves nothing to the next one. */
async function clean(world: World): Promise<void> {
  await world.heal();
  await world.queue.drain();
  await world.deadLetters.drain();
}

/** However slow, a case that comes to rest is to be judged by the checker, not by the clock. */
const REST_MS = 80_000;

/** What is stored and dead-lettered of this case; the queue is empty. Leaves the dead-letter queue empty too. */
async function checkAtRest({ world, history, source }: Scene): Promise<Report> {
  const rows = await world.ask<{ tenant: string; id: string; at: number; data: unknown }>(
    "select tenant, id, extract(epoch from stored_at)::float8 * 1000 as at, data from events where source = $1",
    [source],
  );
  const stored = rows.map(
    ({ tenant, id, at, data }): Row => ({
      tenant,
      source,
      id,
      storedAt: at,
      fingerprint: fingerprint(data),
    }),
  );
  const letters = await world.deadLetters.drain();
  const deadLetters = letters.map(({ Body: body = "" }): MessageAtRest => readMessageAtRest(body));
  return check(history, { stored, deadLetters, queued: [] });
}
