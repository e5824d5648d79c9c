import { afterAll, beforeAll, expect, it } from "vitest";
import { createDeadLetterReader } from "../../functions/adapters/data-api/dead-letter-reader.ts";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { describeDeadLetterTable } from "../support/conformance/dead-letter-table.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

/** As the jobs of replays change rows. */
const take = (id: string) =>
  db.ask(
    `with taken as (
      update dead_letters set state = 'replayed', replays = replays + 1, closed_at = now() where id = $1 returning id, replays
    )
    insert into dead_letter_replays (dead_letter_id, number, replay_id, sent_at)
    select id, replays, 'rpl_' || repeat('0', 32), now() from taken`,
    [id],
  );
const discard = (id: string) =>
  db.ask("update dead_letters set state = 'discarded', closed_at = now() where id = $1", [id]);

describeDeadLetterTable("in PostgreSQL", async () => {
  db.faults.clear();
  await db.empty("dead_letter_replays", "dead_letters");
  return {
    store: createDeadLetterStore(db.writer),
    reader: createDeadLetterReader(db.reader),
    take: async (id) => void (await take(id)),
    discard: async (id) => void (await discard(id)),
    outage: () => db.faults.add({ kind: "error", error: "DatabaseUnavailableException" }),
  };
});

it("the ledger counts each stored event once, before and after its deltas are merged", async () => {
  db.faults.clear();
  await db.empty("events", "event_keys", "rollups", "rollup_deltas");
  const store = (ids: string[], tenant: string) =>
    createEventStore(db.writer).store(
      ids.map((id) => storable({ id }, { tenant })),
      soon(),
    );
  const stored = async (tenant: string) => (await createDeadLetterReader(db.reader).ledger(tenant, soon())).stored;
  await store(["1", "2", "3"], "a");
  await store(["1"], "b");
  expect([await stored("a"), await stored("b"), await stored("*")]).toEqual([3, 1, 4]);

  await db.ask("select compact_rollups('2100-01-01', 1000)");
  await store(["3", "4"], "a");

  expect([await stored("a"), await stored("b"), await stored("*")]).toEqual([4, 1, 5]);
});
