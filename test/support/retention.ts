import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createRetentionWork } from "../../functions/adapters/data-api/retention-work.ts";
import type { SqlDatabase, StorableEvent } from "../../functions/core/ports.ts";
import type { RetentionDays } from "../../functions/core/retention.ts";
import type { RetentionWork } from "../../functions/core/retention-work.ts";
import { createRetainStep, type StepDeps } from "../../functions/retain/step.ts";
import { soon, type TestDatabase } from "./database.ts";
import { storable } from "./event-samples.ts";

const DAY_MS = 86_400_000;

/** A day so many days before today, as 2026-11-21. */
export const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** An event of a class that was received so many days ago. */
export const aged = (
  id: string,
  retention: RetentionDays,
  days: number,
  { tenant = "default", ...event }: Partial<StorableEvent["event"]> & { tenant?: string } = {},
): StorableEvent => ({
  ...storable({ id, ...event }, { tenant, receivedAt: `${daysAgo(days)}T12:00:00.000Z` }),
  retention,
});

/** Stores events, however old they are: at once where their days have tables, else when they come again. */
export async function storeAged(db: TestDatabase, events: StorableEvent[]): Promise<void> {
  const store = createEventStore(db.writer);
  const { refused } = await store.store(events, soon());
  const again = await store.store(
    refused.map(({ index }) => events[index]).filter((each) => each !== undefined),
    soon(),
  );
  if (again.refused.length > 0)
    throw new Error(`${again.refused.length} events are refused: ${again.refused[0]?.error.detail}`);
}

type Options = Partial<Omit<StepDeps, "work" | "steps">> & { work?: Partial<RetentionWork> };

/** Runs a step of retention on a database as its owner. */
export function retainStep(database: Pick<SqlDatabase, "execute">, { work, ...options }: Options = {}) {
  const sent: number[] = [];
  const step = createRetainStep({
    work: { ...createRetentionWork(database), ...work },
    steps: {
      send: async (delaySeconds) => {
        sent.push(delaySeconds);
        return true;
      },
    },
    clock: () => new Date(),
    ...options,
  });
  return { sent, run: (messageId = "m-1", until = Date.now() + 240_000) => step({ messageId }, until) };
}
