import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDeliveryWork } from "../../functions/adapters/data-api/delivery-work.ts";
import { createSubscriptionStore } from "../../functions/adapters/data-api/subscription-store.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { CLAIM_MAX_OF_ONE } from "../../functions/core/subscription-limits.ts";
import { actorOf, eventIdsOf, eventOf } from "../support/conformance/deliveries.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { settle } from "../support/settle.ts";

/** Due deliveries of one sink, whose subscription lets so many a second through. */
const COUNT = 1_000_000;
const RATE = 40;
const SECONDS = 30;
const LOAD_MS = 600_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

describe("a flood", () => {
  it(
    "a million due deliveries leave at the rate of their sink, and hold up neither claims nor others",
    async () => {
      const actor = actorOf({
        store: createSubscriptionStore(db.writer),
        work: createDeliveryWork(db.writer),
        now: () => new Date(),
      });
      const { create, dispatch, claim, settleAll, ledger } = actor;
      const flooded = await create({ rate: RATE });
      const other = await create();
      await createEventStore(db.writer).store(
        Array.from({ length: SECONDS }, (_, n) => eventOf(`e${n}`)),
        soon(),
      );
      await settle(db);
      await dispatch();
      const timeOfClaim = async () => {
        const started = performance.now();
        const claimed = await claim();
        return { ...claimed, ms: performance.now() - started };
      };
      const [few] = [await timeOfClaim()];
      await settleAll(few);
      await db.ask(
        `insert into deliveries (id, subscription_id, event_id, event_source, event_type, event_received_at)
         select 'dlv_' || md5(cast(n as text)), d.subscription_id, d.event_id, d.event_source, d.event_type, d.event_received_at
         from (select * from deliveries where subscription_id = $1 limit 1) as d, generate_series(1, ${COUNT}) as n`,
        [flooded.id],
      );
      await db.ask(
        "update subscriptions set matched = matched + $2, tokens = 0, tokens_at = clock_timestamp() where id = $1",
        [flooded.id, COUNT],
      );
      await db.ask(
        "update deliveries set due_at = clock_timestamp() where subscription_id = $1 and state = 'pending'",
        [other.id],
      );

      const began = performance.now();
      const times: number[] = [];
      let left = 0;
      for (let second = 0; second < SECONDS; second += 1) {
        // A second passes for the bucket.
        await db.ask("update subscriptions set tokens_at = tokens_at - interval '1 second' where id = $1", [
          flooded.id,
        ]);
        const claimed = await timeOfClaim();
        times.push(claimed.ms);
        left += claimed.deliveries.filter(({ subscriptionId }) => subscriptionId === flooded.id).length;
        await settleAll(claimed);
      }
      const seconds = SECONDS + (performance.now() - began) / 1_000;

      const longest = Math.max(...times);
      console.info(
        `${left} of ${COUNT} left in ${seconds.toFixed(1)} s at ${RATE} a second; a claim took ${few.ms.toFixed(0)} ms with ${eventIdsOf(few).length} due, and then ${longest.toFixed(0)} ms at most`,
      );
      expect(left).toBeGreaterThanOrEqual(RATE * (SECONDS - 1));
      expect(left).toBeLessThanOrEqual(RATE * (seconds + 1));
      expect(longest).toBeLessThan(Math.max(20 * few.ms, 250));
      expect(CLAIM_MAX_OF_ONE).toBeGreaterThan(RATE);
      expect(await ledger(flooded.id)).toMatchObject({ failed: 0, skipped: 0 });
      const { matched = 0, delivered = 0, pending = 0 } = (await ledger(flooded.id)) ?? {};
      expect(matched).toBe(delivered + pending);
      expect(await ledger(other.id)).toMatchObject({ pending: 0, delivered: SECONDS });
    },
    LOAD_MS,
  );
});
