import type { StatusAnswer } from "../../../functions/core/status-answers.ts";
import { ago, count, duration } from "../../parts/format.ts";

export type Part = { name: string; tone: "good" | "warn" | "bad" | ""; says: string; detail: string };

/** Lists are refused where events wait for longer to be stored (docs/query.md). */
const LAG_IS_HIGH_MS = 30_000;

/** The parts of an installation in the order of an event's way, each with a state in words. */
export function partsOfHealth({ queues, consumer, database, subscriptions }: StatusAnswer, now = Date.now()): Part[] {
  return [
    ...queueParts(queues),
    consumerPart(consumer, now),
    databasePart(database, now),
    subscriptionsPart(subscriptions),
  ];
}

const unread = (name: string, why: string): Part => ({ name, tone: "bad", says: "not read", detail: why });

type Depth = { visible: number; inFlight: number; delayed: number };

function queueParts(queues: StatusAnswer["queues"]): Part[] {
  if ("unavailable" in queues) return [unread("Queues", queues.unavailable)];
  const { at: _, ...named } = queues;
  return Object.entries(named as Record<string, Depth>).map(([queue, { visible, inFlight, delayed }]) => {
    const sum = visible + inFlight + delayed;
    const isDead = queue === "deadLetters";
    return {
      name: QUEUE_NAMES[queue] ?? queue,
      tone: sum === 0 ? "good" : isDead ? "warn" : "",
      says: sum === 0 ? "empty" : `${count(sum)} waiting`,
      detail: Object.entries({ visible, "in flight": inFlight, delayed })
        .filter(([, messages]) => messages > 0)
        .map(([state, messages]) => `${count(messages)} ${state}`)
        .join(", "),
    };
  });
}

const QUEUE_NAMES: Record<string, string | undefined> = {
  events: "Queue of events",
  deadLetters: "Dead-letter queue",
  wakeUps: "Queue of wake-ups",
  status: "Queue of the status",
};

function consumerPart(consumer: StatusAnswer["consumer"], now: number): Part {
  const name = "Consumer";
  if ("unavailable" in consumer) return unread(name, consumer.unavailable);
  const { lagMs, lastStoredAt } = consumer;
  if (lagMs === undefined || lastStoredAt === undefined) return { name, tone: "", says: "no events yet", detail: "" };
  const isHigh = lagMs > LAG_IS_HIGH_MS;
  return {
    name,
    tone: isHigh ? "warn" : "good",
    says: `lag ${duration(lagMs)}`,
    detail: `last stored ${ago(lastStoredAt, now)}${isHigh ? "; lists are refused until it has caught up" : ""}`,
  };
}

function databasePart(database: StatusAnswer["database"], now: number): Part {
  const name = "Database";
  if ("unavailable" in database) return unread(name, database.unavailable);
  const used = database.usedAt === undefined ? "" : `last used ${ago(database.usedAt, now)}`;
  return { name, tone: database.state === "active" ? "good" : "", says: database.state, detail: used };
}

function subscriptionsPart(subscriptions: StatusAnswer["subscriptions"]): Part {
  const name = "Subscriptions";
  if ("unavailable" in subscriptions) return unread(name, subscriptions.unavailable);
  const { active, disabled, pending } = subscriptions;
  return {
    name,
    tone: disabled > 0 ? "warn" : active > 0 ? "good" : "",
    says: disabled > 0 ? `${count(disabled)} disabled` : active > 0 ? `${count(active)} active` : "none",
    detail: active + disabled === 0 ? "" : `${count(active)} active, ${count(pending)} deliveries pending`,
  };
}
