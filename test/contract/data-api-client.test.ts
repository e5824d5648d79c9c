import { RDSDataClient } from "@aws-sdk/client-rds-data";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createDataApi } from "../../functions/adapters/data-api/data-api.ts";
import { STATEMENT_CLIENT_TIMEOUT_SECONDS } from "../../functions/core/database-limits.ts";
import { startDatabase, soon, TARGET, type TestDatabase } from "../support/database.ts";
import { freezeDate } from "../support/freeze-date.ts";
import { soonerThan } from "../support/sooner-than.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startDatabase();
  await db.ask("create table note (text text primary key)");
});
afterAll(() => db.remove());
beforeEach(() => db.ask("delete from note"));
afterEach(() => {
  db.faults.clear();
  vi.restoreAllMocks();
});

const insert = "insert into note values (:text)";
const notes = async () =>
  (await db.ask<{ text: string }>("select text from note order by text")).map(({ text }) => text);
/** The error of a call, by a deadline that is near; without one the client's own time limit ends it. */
function failureOf(call: Promise<unknown>): Promise<unknown> {
  const failure = call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return soonerThan((STATEMENT_CLIENT_TIMEOUT_SECONDS * 1_000) / 2, failure);
}

/** A deadline for calls that are to fail. */
const near = () => Date.now() + 300;

/** Runs `act` as the nth call of the client begins. Returns the spy that counts the calls. */
function atCall(nth: number, act: () => unknown) {
  const send = RDSDataClient.prototype.send as (...call: unknown[]) => unknown;
  const calls = vi.spyOn(RDSDataClient.prototype, "send");
  return calls.mockImplementation(function (this: RDSDataClient, ...call: unknown[]) {
    if (calls.mock.calls.length === nth) act();
    return send.apply(this, call);
  } as never);
}

describe("a statement", () => {
  it("a statement takes every parameter as text, and null as null", async () => {
    const sql = "select cast(:number as integer) + 1, :text, cast(:nothing as text) is null, cast(:nothing as text)";

    const { rows } = await db.database.execute(sql, { number: "41", text: "a'b", nothing: null }, soon());

    expect(rows).toEqual([[42, "a'b", true, null]]);
  });

  it("a statement answers how many rows it wrote", async () => {
    const sql = "insert into note select cast(n as text) from generate_series(1, 3) as n";

    expect(await db.database.execute(sql, {}, soon())).toEqual({ rows: [], updated: 3 });
  });

  it.each([
    ["22012", "dead-letter", "not_storable", "select 1 / 0"],
    ["23505", "dead-letter", "constraint_violation", "insert into note values ('a'), ('a')"],
    ["42P01", "stop", "schema_mismatch", "select 1 from no_such_table"],
    ["40P01", "retry", "transaction_rollback", "do $$ begin raise exception 'x' using errcode = '40P01'; end $$"],
  ])("a statement that PostgreSQL refuses with %s fails as %s %s", async (sqlState, disposition, reason, sql) => {
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
  ])("a statement of a client that is set up wrongly stops with %s", async (reason, wrong) => {
    const database = createDataApi({ ...TARGET, ...wrong });

    await expect(database.execute("select 1", {}, soon())).rejects.toMatchObject({ disposition: "stop", reason });
  });

  it("a statement is sent again when the connection breaks before it runs", async () => {
    db.faults.set([{ kind: "dropBefore", calls: 1 }]);

    await db.database.execute(insert, { text: "once" }, soon());

    expect(await notes()).toEqual(["once"]);
  });

  it.each([
    ["AccessDeniedException", "stop", "access_denied"],
    ["DatabaseUnavailableException", "retry", "database_unavailable"],
  ] as const)("a statement that %s keeps from running fails as %s %s", async (error, disposition, reason) => {
    db.faults.set([{ kind: "error", error }]);

    await expect(db.database.execute(insert, { text: "never" }, soon())).rejects.toMatchObject({ disposition, reason });
    expect(await notes()).toEqual([]);
  });
});

describe("a database that resumes", () => {
  it("a database that resumes is waited for", async () => {
    db.faults.set([{ kind: "error", error: "DatabaseResumingException", calls: 1 }]);

    await db.database.execute(insert, { text: "late" }, soon());

    expect(await notes()).toEqual(["late"]);
  });

  it("a database that resumes is waited for when a transaction begins", async () => {
    db.faults.set([{ kind: "error", error: "DatabaseResumingException", operation: "BeginTransaction", calls: 1 }]);

    await db.database.transaction((execute) => execute(insert, { text: "late" }, soon()), soon());

    expect(await notes()).toEqual(["late"]);
  });

  it("a database that resumes is waited for until the deadline and not longer", async () => {
    // The second call finds it resumed; the first may not wait for that.
    db.faults.set([{ kind: "error", error: "DatabaseResumingException", calls: 1 }]);
    const deadline = freezeDate() + 20_000;
    atCall(1, () => vi.setSystemTime(deadline - 500));

    const early = db.database.execute(insert, { text: "early" }, deadline);

    await expect(early).rejects.toMatchObject({
      name: "DatabaseError",
      disposition: "retry",
      reason: "database_resuming",
    });
    expect(await notes()).toEqual([]);
  });

  it("a database that has not resumed by the deadline fails as resuming, after it was asked again", async () => {
    db.faults.set([{ kind: "error", error: "DatabaseResumingException" }]);
    const deadline = freezeDate() + 20_000;
    const calls = atCall(2, () => vi.setSystemTime(deadline - 500));

    const call = db.database.execute("select 1", {}, deadline);

    await expect(call).rejects.toMatchObject({ disposition: "retry", reason: "database_resuming" });
    expect(calls).toHaveBeenCalledTimes(2);
  });
});

describe("a transaction", () => {
  it("a transaction is seen by others only when it is committed, and answers what its work answers", async () => {
    const result = await db.database.transaction(async (execute) => {
      await execute(insert, { text: "a" }, soon());
      await execute(insert, { text: "b" }, soon());
      return { inside: (await execute("select count(*) from note", {}, soon())).rows, outside: await notes() };
    }, soon());

    expect(result).toEqual({ inside: [[2]], outside: [] });
    expect(await notes()).toEqual(["a", "b"]);
  });

  it("a transaction is rolled back when its work throws, which is thrown on", async () => {
    const fault = new Error("changed its mind");

    const work = db.database.transaction(async (execute) => {
      await execute(insert, { text: "a" }, soon());
      throw fault;
    }, soon());

    await expect(work).rejects.toBe(fault);
    expect(await notes()).toEqual([]);
    expect(await openTransactions()).toBe(0);
  });

  it("a transaction is rolled back when one of its statements is refused", async () => {
    const work = db.database.transaction(async (execute) => {
      await execute(insert, { text: "a" }, soon());
      await execute(insert, { text: "a" }, soon());
    }, soon());

    await expect(work).rejects.toMatchObject({ disposition: "dead-letter", sqlState: "23505" });
    expect(await notes()).toEqual([]);
    expect(await openTransactions()).toBe(0);
  });

  it("a transaction whose commit was done but not answered fails as one to try again", async () => {
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

  it("a transaction whose commit never arrived fails as one to try again, with nothing written", async () => {
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
  it("a server that hangs keeps a statement no longer than its deadline", async () => {
    db.faults.set([{ kind: "hang" }]);

    const error = await failureOf(db.database.execute("select 1", {}, near()));

    expect(error).toMatchObject({ name: "DatabaseError", disposition: "retry", reason: "database_unreachable" });
  });

  it.each(["BeginTransaction", "ExecuteStatement", "CommitTransaction"] as const)(
    "a server that hangs at %s and ever after keeps a transaction no longer than its deadline",
    async (operation) => {
      db.faults.set([
        { kind: "hang", operation },
        { kind: "hang", operation: "RollbackTransaction" },
      ]);
      const deadline = near();

      const error = await failureOf(
        db.database.transaction((execute) => execute(insert, { text: "a" }, deadline), deadline),
      );

      expect(error).toMatchObject({ name: "DatabaseError", disposition: "retry", reason: "database_unreachable" });
      expect(await notes()).toEqual([]);
    },
  );

  it("a server that hangs at the rollback does not hide why the work failed, nor keep the transaction", async () => {
    db.faults.set([{ kind: "hang", operation: "RollbackTransaction" }]);
    const deadline = freezeDate() + 20_000;

    const error = await failureOf(
      db.database.transaction(async (execute) => {
        await execute("select 1 / 0", {}, deadline).finally(() => vi.setSystemTime(deadline));
      }, deadline),
    );

    expect(error).toMatchObject({ disposition: "dead-letter", sqlState: "22012" });
  });
});

/** Sessions that PostgreSQL keeps in a transaction, for example one that was never rolled back. */
async function openTransactions(): Promise<number | undefined> {
  const [row] = await db.ask<{ open: number }>(
    "select count(*)::int as open from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
  );
  return row?.open;
}
