import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type MessageAtRest, readMessageAtRest, type Row } from "../checker/at-rest.ts";
import { check } from "../checker/check.ts";
import { fingerprint } from "../checker/fingerprint.ts";
import { createHistory, type History } from "../checker/history.ts";
import type { Report } from "../checker/report.ts";
import { type Client, createClient, type SentEvent } from "./client.ts";
import type { FaultStack } from "./fault-stack.ts";

/** A source of its own, its history, and the stack it happens in. */
export type FaultScenario = Client & {
  stack: FaultStack;
  history: History;
  source: string;
  /** Events of this case's source with new ids; `data` gets the event's index. */
  events: (count: number, data?: (index: number) => unknown) => SentEvent[];
  /** Says that events count as accepted, which the case has put on the queue itself. */
  accept: (events: readonly SentEvent[]) => void;
  /** From now on what is sent stays in the queue, until the faults of `stack.sqs` are changed. */
  hold: () => Promise<void>;
  /** Heals where the case did not, and waits until all is at rest. */
  end: () => Promise<void>;
  /** Takes every fault back; what is left of the case's time counts as draining. Done at the end where not before. */
  heal: () => Promise<void>;
  /** Waits until nothing is left in the queue. */
  atRest: (withinMs?: number) => Promise<void>;
  /** From the last moment a fault had an effect until nothing was left in the queue, ms. */
  drainMs: () => number;
  /** Runs the checker over all answers and all that is stored and dead-lettered; empties the dead-letter queue. */
  judge: () => Promise<Report>;
  /** A figure for the table of docs/reliability.md. */
  note: (text: string) => void;
  readonly notes: readonly string[];
  /** ms since the epoch; undefined while the fault is on. */
  readonly healedAt: number | undefined;
};

export function createFaultScenario(id: string, stack: FaultStack): FaultScenario {
  const source = `/faults/${id}/${randomUUID()}`;
  const history = createHistory();
  const notes: string[] = [];
  const startedAt = Date.now();
  const rests: number[] = [];
  const client = createClient(() => stack.addresses.url, history);
  let healed: number | undefined;
  const scenario: FaultScenario = {
    ...client,
    stack,
    history,
    source,
    events: (count, data = (index) => ({ index })) =>
      Array.from({ length: count }, (_, index) => ({
        id: randomUUID(),
        source,
        type: "com.example.fault",
        data: data(index),
      })),
    accept(accepted) {
      const attempts = accepted.map(({ source, id, data }) => ({
        tenant: "default",
        source,
        id,
        fingerprint: fingerprint(data),
      }));
      history.attempt(attempts, Date.now())("acked", Date.now());
    },
    async hold() {
      stack.sqs.setFaults({ kind: "unavailable", action: "ReceiveMessage" });
      // Polls that are open already end with the next message.
      await scenario.deliver(scenario.events(1));
      await scenario.atRest();
    },
    async heal() {
      healed = Date.now();
      await stack.heal();
    },
    async atRest(withinMs = REST_MS) {
      await eventually(stack.queue.depth, (depth) => depth === 0, withinMs).catch((cause: unknown) => {
        throw new Error(`The queue did not come to rest. The log ends:\n${stack.lines.slice(-5).join("\n")}`, {
          cause,
        });
      });
      rests.push(Date.now());
    },
    async end() {
      if (healed !== undefined || rests.length > 0) await stack.heal();
      else await scenario.heal();
      await scenario.atRest();
    },
    drainMs() {
      const faults = [stack.failpoints.lastFaultAt, stack.sqs.lastFaultAt, healed ?? -Infinity];
      const ends = faults.filter((at) => at >= startedAt);
      // Bad events are a fault that is over when they are sent.
      const endedAt = ends.length > 0 ? Math.max(...ends) : client.lastAnswerAt();
      return (rests.find((at) => at >= endedAt) ?? Number.NaN) - endedAt;
    },
    judge: () => judge(scenario),
    note: (text) => notes.push(text),
    notes,
    get healedAt() {
      return healed;
    },
  };
  return scenario;
}

/** However slow, a case that comes to rest is to be judged by the checker, not by the clock. */
const REST_MS = inject("faultSize") === "full" ? 300_000 : 200_000;

async function judge({ stack, history, source }: FaultScenario): Promise<Report> {
  const rows = await stack.ask<{ tenant: string; id: string; at: number; data: unknown }>(
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
  const drained = await stack.deadLetters.drain();
  const deadLetters = drained.map(({ Body: body = "" }): MessageAtRest => readMessageAtRest(body));
  return check(history, { stored, deadLetters, queued: [] });
}
