import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDeadLetterReader } from "../../functions/adapters/data-api/dead-letter-reader.ts";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { newDeadLetter, scopeOf, selecting, wholeMessage } from "../support/dead-letter-samples.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
  const ids = ["1", "2", "3"];
  await createDeadLetterStore(db.writer).record(
    [
      ...["a", "b"].flatMap((tenant) =>
        ids.map((id) =>
          newDeadLetter({
            tenant,
            messageId: `${tenant}${id}`,
            event: { id, data: { tenant } },
            message: `of ${tenant}`,
          }),
        ),
      ),
      wholeMessage("nobody's"),
    ],
    soon(),
  );
  await db.ask(
    "insert into dead_letter_replays (dead_letter_id, number, replay_id, message) select id, 1, 'rpl_x', tenant from dead_letters where tenant is not null",
  );
});
afterAll(() => db.remove());

/** Every reader of a tenant has what is that tenant's alone, and counts no more. */
async function expectIsolation(): Promise<void> {
  const reader = createDeadLetterReader(db.reader);
  const rows = await db.ask<{ id: string; tenant: string | null; event_id: string | null }>(
    "select id, tenant, event_id from dead_letters",
  );
  const page = { after: undefined, limit: 100, budgetMs: 3_000 };
  for (const tenant of ["a", "b"]) {
    const scope = scopeOf(tenant);
    for (const selection of [{}, { filter: { exact: { id: "1" } } }, { ids: rows.map(({ id }) => id) }]) {
      const listed = await reader.list(scope, selecting(selection), page, soon());
      expect(listed.rows.map((row) => row.tenant)).toEqual(Array("filter" in selection ? 1 : 3).fill(tenant));
    }
    const groups = await reader.groups(scope, selecting(), soon());
    expect(groups).toMatchObject([{ message: `of ${tenant}`, count: 3, share: 1, sample: { tenant } }]);
    for (const row of rows) {
      const whole = await reader.read(scope, row.id, soon());
      expect(whole === undefined).toBe(row.tenant !== tenant);
      if (whole !== undefined) {
        expect(whole).toMatchObject({ tenant, body: expect.stringContaining(`"data":{"tenant":"${tenant}"}`) });
        expect(whole.history).toMatchObject([{ message: tenant }]);
      }
    }
    const found = await reader.find(scope, { id: "1", source: undefined }, soon());
    expect(found?.message).toBe(`of ${tenant}`);
  }
  for (const tenant of ["", "A", "c", "a' or true --"]) {
    expect((await reader.list(scopeOf(tenant), selecting(), page, soon())).rows, tenant).toEqual([]);
  }
  expect((await reader.list(scopeOf("*"), selecting(), page, soon())).rows).toHaveLength(7);
}

it("two tenants with the same ids each see their own dead letters, and the installation all", async () => {
  await expect(expectIsolation()).resolves.toBeUndefined();
});

describe("without the tenant in the predicates of the functions that read dead letters", () => {
  const PREDICATES: Record<string, [predicate: string, any: string]> = {
    dead_letter_condition: ["and d.tenant = $2", "and true"],
    read_dead_letter: ["d.tenant = for_tenant", "true"],
    find_dead_letter: ["d.tenant = for_tenant and", ""],
  };
  const whole: string[] = [];
  const removed: Record<string, number> = {};
  beforeEach(async () => {
    for (const [name, [predicate, any]] of Object.entries(PREDICATES)) {
      const [row] = await db.ask<{ text: string }>("select pg_get_functiondef($1::regproc) as text", [name]);
      const text = row?.text ?? "";
      whole.push(text);
      removed[name] = text.split(predicate).length - 1;
      await db.ask(text.replaceAll(predicate, any));
    }
  });
  afterEach(() => db.ask(whole.splice(0).join(";")));

  it("without the tenant in the predicates the policies alone keep the tenants apart", async () => {
    expect(removed).toEqual({ dead_letter_condition: 1, read_dead_letter: 1, find_dead_letter: 1 });
    await expect(expectIsolation()).resolves.toBeUndefined();
  });
});

describe("without the policies of dead letters", () => {
  const eachTable = (change: string) =>
    db.ask(["dead_letters", "dead_letter_replays"].map((table) => `alter table ${table} ${change}`).join(";"));
  beforeEach(() => eachTable("disable row level security"));
  afterEach(() => eachTable("enable row level security"));

  it("without the policies the predicates alone keep the tenants apart", async () => {
    await expectIsolation();
    // They were off: the reader saw every row.
    const { rows } = await db.reader.execute("select cast(count(*) as text) from dead_letters", {}, soon());
    expect(rows).toEqual([["7"]]);
  });
});

describe("the setting that shows all dead letters", () => {
  it("the setting that shows all dead letters ends with its statement", async () => {
    await createDeadLetterReader(db.reader).list(
      scopeOf("*"),
      selecting(),
      { after: undefined, limit: 1, budgetMs: 1_000 },
      soon(),
    );

    const { rows } = await db.reader.execute("select cast(count(*) as text) from dead_letters", {}, soon());
    expect(rows).toEqual([["0"]]);
  });
});
