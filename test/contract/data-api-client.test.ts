import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDataApi } from "../../functions/adapters/data-api/data-api.ts";
import { startDatabase, soon, TARGET, type TestDatabase } from "../support/database.ts";

/** The most by which a call may come back after its deadline; without a deadline it takes a minute or for ever. */
const GRACE_MS = 5_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await startDatabase();
  await db.ask("create table note (text text primary key)");
});
afterAll(() => db.remove());
beforeEach(() => db.ask("delete from note"));
afterEach(() => db.faults.clear());

const insert = "insert into note values (:text)";
const notes = async () =>
  (await db.ask<{ text: string }>("select text from note order by text")).map(({ text }) => text);
const inSeconds = (seconds: number) => Date.now() + seconds * 1_000;

/** The error of a call, and the milliseconds until it came. */
async function failureOf(call: Promise<unknown>): Promise<{ error: unknown; afterMs: number }> {
  const started = performance.now();
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, afterMs: performance.now() - started };
}

describe("a statement", () => {
  it("takes every parameter as text, and null as null", async () => {
    const sql = "select cast(:number as integer) + 1, :text, cast(:nothing as text) is null, cast(:nothing as text)";

    const { rows } = await db.database.execute(sql, { number: "41", text: "a'b", nothing: null }, soon());

    expect(rows).toEqual([[42, "a'b", true, null]]);
  });

  it("answers how many rows it wrote", async () => {
    const sql = "insert into note select cast(n as text) from generate_series(1, 3) as n";

    expect(await db.database.execute(sql, {}, soon())).toEqual({ rows: [], updated: 3 });
  });

  it.each([
    ["22012", "dead-letter", "not_storable", "select 1 / 0"],
    ["23505", "dead-letter", "constraint_violation", "insert into note values ('a'), ('a')"],
    ["42P01", "stop", "schema_mismatch", "select 1 from no_such_table"],
    ["40P01", "retry", "transaction_rollback", "do $$ begin raise exception 'x' using errcode = '40P01'; end $$"],
  ])("that PostgreSQL refuses with %s fails as %s %s", async (sqlState, disposition, reason, sql) => {
    await expect(db.database.execute(sql, {}, soon())).rejects.toMatchObject({
      name: "DatabaseError",
      disposition,
      reason,
      sqlState,
      detail: expect.stringMatching(/^ERROR: /),
    });
  });

  it.each([
    ["database_not_found", { CLUSTER_ARN: "arn:aws:rds:eu-west-1:000000000000:cluster:other" }],
    ["invalid_secret", { SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:other" }],
    ["invalid_database", { DATABASE_NAME: "other" }],
  ])("of a client that is set up wrongly stops with %s", async (reason, wrong) => {
    const database = createDataApi({ ...TARGET, ...wrong });

    await expect(database.execute("select 1", {}, soon())).rejects.toMatchObject({ disposition: "stop", reason });
  });

  it("is sent again when the connection breaks before it runs", async () => {
    db.faults.set([{ kind: "dropBefore", calls: 1 }]);

    await db.database.execute(insert, { text: "once" }, soon());

    expect(await notes()).toEqual(["once"]);
  });

  it.each([
    ["AccessDeniedException", "stop", "access_denied"],
    ["DatabaseUnavailableException", "retry", "database_unavailable"],
  ] as const)("that %s keeps from running fails as %s %s", async (error, disposition, reason) => {
    db.faults.set([{ kind: "error", error }]);

    await expect(db.database.execute(insert, { text: "never" }, soon())).rejects.toMatchObject({ disposition, reason });
    expect(await notes()).toEqual([]);
  });
});

describe("a database that resumes", () => {
  it("is waited for", async () => {
    db.faults.set([{ kind: "error", error: "DatabaseResumingException", calls: 1 }]);

    await db.database.execute(insert, { text: "late" }, soon());

    expect(await notes()).toEqual(["late"]);
  });

  it("is waited for when a transaction begins", async () => {
    db.faults.set([{ kind: "error", error: "DatabaseResumingException", operation: "BeginTransaction", calls: 1 }]);

    await db.database.transaction((execute) => execute(insert, { text: "late" }, soon()), soon());

    expect(await notes()).toEqual(["late"]);
  });

  it("is waited for until the deadline and not longer", async () => {
    // The second call finds it resumed; the first may not wait for that.
    db.faults.set([{ kind: "error", error: "DatabaseResumingException", calls: 1 }]);

    const { error, afterMs } = await failureOf(db.database.execute(insert, { text: "early" }, inSeconds(0.5)));

    expect(error).toMatchObject({ name: "DatabaseError", disposition: "retry", reason: "database_resuming" });
    expect(afterMs).toBeLessThan(500 + GRACE_MS);
    expect(await notes()).toEqual([]);
  });

  it("that does not come in time fails as resuming", async () => {
    db.faults.set([{ kind: "error", error: "DatabaseResumingException" }]);

    const { error, afterMs } = await failureOf(db.database.execute("select 1", {}, inSeconds(1.2)));

    expect(error).toMatchObject({ disposition: "retry", reason: "database_resuming" });
    expect(afterMs).toBeGreaterThan(1_000);
    expect(afterMs).toBeLessThan(1_200 + GRACE_MS);
  });
});

describe("a transaction", () => {
  it("is seen by others only when it is committed, and answers what its work answers", async () => {
    const result = await db.database.transaction(async (execute) => {
      await execute(insert, { text: "a" }, soon());
      await execute(insert, { text: "b" }, soon());
      return { inside: (await execute("select count(*) from note", {}, soon())).rows, outside: await notes() };
    }, soon());

    expect(result).toEqual({ inside: [[2]], outside: [] });
    expect(await notes()).toEqual(["a", "b"]);
  });

  it("is rolled back when its work throws, which is thrown on", async () => {
    const fault = new Error("changed its mind");

    const { error } = await failureOf(
      db.database.transaction(async (execute) => {
        await execute(insert, { text: "a" }, soon());
        throw fault;
      }, soon()),
    );

    expect(error).toBe(fault);
    expect(await notes()).toEqual([]);
    expect(await openTransactions()).toBe(0);
  });

  it("is rolled back when one of its statements is refused", async () => {
    const work = db.database.transaction(async (execute) => {
      await execute(insert, { text: "a" }, soon());
      await execute(insert, { text: "a" }, soon());
    }, soon());

    await expect(work).rejects.toMatchObject({ disposition: "dead-letter", sqlState: "23505" });
    expect(await notes()).toEqual([]);
    expect(await openTransactions()).toBe(0);
  });

  it("whose commit was done but not answered fails as one to try again", async () => {
    db.faults.set([{ kind: "dropAfter", operation: "CommitTransaction" }]);

    const work = db.database.transaction((execute) => execute(insert, { text: "kept" }, soon()), soon());

    // The SDK repeats the commit, and the transaction is over by then.
    await expect(work).rejects.toMatchObject({
      name: "DatabaseError",
      disposition: "retry",
      reason: "transaction_lost",
    });
    expect(await notes()).toEqual(["kept"]);
  });

  it("whose commit never arrived fails as one to try again, with nothing written", async () => {
    db.faults.set([{ kind: "dropBefore", operation: "CommitTransaction" }]);

    const work = db.database.transaction((execute) => execute(insert, { text: "lost" }, soon()), soon());

    await expect(work).rejects.toMatchObject({
      name: "DatabaseError",
      disposition: "retry",
      reason: "database_unreachable",
    });
    expect(await notes()).toEqual([]);
    expect(await openTransactions()).toBe(0);
  });
});

describe("a server that hangs", () => {
  it("keeps a statement no longer than its deadline", async () => {
    db.faults.set([{ kind: "hang" }]);

    const { error, afterMs } = await failureOf(db.database.execute("select 1", {}, inSeconds(0.3)));

    expect(error).toMatchObject({ name: "DatabaseError", disposition: "retry", reason: "database_unreachable" });
    expect(afterMs).toBeLessThan(300 + GRACE_MS);
  });

  it.each(["BeginTransaction", "ExecuteStatement", "CommitTransaction"] as const)(
    "at %s and ever after keeps a transaction no longer than its deadline",
    async (operation) => {
      db.faults.set([
        { kind: "hang", operation },
        { kind: "hang", operation: "RollbackTransaction" },
      ]);
      const deadline = inSeconds(0.3);

      const { error, afterMs } = await failureOf(
        db.database.transaction((execute) => execute(insert, { text: "a" }, deadline), deadline),
      );

      expect(error).toMatchObject({ name: "DatabaseError", disposition: "retry", reason: "database_unreachable" });
      expect(afterMs).toBeLessThan(300 + GRACE_MS);
      expect(await notes()).toEqual([]);
    },
  );

  it("at the rollback does not hide why the work failed", async () => {
    db.faults.set([{ kind: "hang", operation: "RollbackTransaction" }]);
    const deadline = inSeconds(1.5);

    const { error, afterMs } = await failureOf(
      db.database.transaction((execute) => execute("select 1 / 0", {}, deadline), deadline),
    );

    expect(error).toMatchObject({ disposition: "dead-letter", sqlState: "22012" });
    expect(afterMs).toBeLessThan(1_500 + GRACE_MS);
  });
});

/** Sessions that PostgreSQL keeps in a transaction, for example one that was never rolled back. */
async function openTransactions(): Promise<number | undefined> {
  const [row] = await db.ask<{ open: number }>(
    "select count(*)::int as open from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
  );
  return row?.open;
}
