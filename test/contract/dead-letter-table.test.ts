import { afterAll, beforeAll } from "vitest";
import { createDeadLetterReader } from "../../functions/adapters/data-api/dead-letter-reader.ts";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { describeDeadLetterTable } from "../support/conformance/dead-letter-table.ts";
import { startMigratedDatabase, type TestDatabase } from "../support/database.ts";

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
