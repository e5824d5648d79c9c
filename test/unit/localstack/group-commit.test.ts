import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import type { Handler, Persistence, Store } from "../../../localstack/sqs/fauxqs.ts";
import { committedTogether, nestTransactions } from "../../../localstack/sqs/group-commit.ts";

/** A store over SQLite, and the statements that begin, end or nest its transactions. */
function openStore() {
  const database = new DatabaseSync(":memory:");
  database.exec("create table messages (body text)");
  const statements: string[] = [];
  const exec = (sql: string) => {
    statements.push(sql);
    database.exec(sql);
  };
  const plain = (work: () => void) => {
    exec("BEGIN");
    work();
    exec("COMMIT");
  };
  const persistence = { db: { exec }, transaction: plain } as unknown as Persistence;
  nestTransactions(persistence);
  const send: Handler = (body) => {
    persistence.transaction(() => {
      database.prepare("insert into messages values (?)").run(String(body["text"]));
      if (body["isBad"] === true) throw new Error("Refused");
    });
    return statements.filter((each) => each === "COMMIT").length;
  };
  const store = { persistence } as Store;
  const call = (body: Record<string, unknown>) => committedTogether(send)(body, store, {} as never) as Promise<unknown>;
  const stored = () =>
    database
      .prepare("select body from messages")
      .all()
      .map(({ body }) => body);
  return { call, stored, statements };
}

it("calls that arrive together are committed once, before any is answered", async () => {
  const { call, statements } = openStore();
  const commitsAtAnswer = async (text: string) => {
    await call({ text });
    return statements.filter((each) => each === "COMMIT").length;
  };

  const answered = await Promise.all(["a", "b", "c"].map(commitsAtAnswer));

  expect(answered).toEqual([1, 1, 1]);
  expect(statements.filter((each) => each === "BEGIN")).toHaveLength(1);
});

it("a call that fails leaves nothing of itself, and the others are committed", async () => {
  const { call, stored } = openStore();

  const outcomes = await Promise.allSettled([
    call({ text: "a" }),
    call({ text: "b", isBad: true }),
    call({ text: "c" }),
  ]);

  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(stored()).toEqual(["a", "c"]);
});

it("a later call has a transaction of its own", async () => {
  const { call, statements, stored } = openStore();

  await call({ text: "a" });
  await call({ text: "b" });

  expect(statements.filter((each) => each === "COMMIT")).toHaveLength(2);
  expect(stored()).toEqual(["a", "b"]);
});
