import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import {
  BatchExecuteStatementCommand,
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
  RollbackTransactionCommand,
  type ExecuteStatementCommandInput,
  type Field,
  type SqlParameter,
} from "@aws-sdk/client-rds-data";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startDataApi, type DataApiServer } from "../../localstack/data-api/data-api.ts";
import { MAX_CONNECTIONS } from "../../localstack/data-api/limits.ts";
import type { Credentials } from "../../localstack/data-api/secrets.ts";
import { LOCAL_AWS } from "../support/local-aws.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";

const resourceArn = "arn:aws:rds:eu-west-1:000000000000:cluster:sluice";
const secretArn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:sluice";
const target = { resourceArn, secretArn, database: "events" };
/** The owner of the database, and another user whom a test may give another password. */
const otherArn = `${secretArn}-other`;
const secrets = new Map<string, Credentials>();
const KIB = 1024;

let cluster: TestCluster;
let clock: ManualClock;
let server: DataApiServer;
let client: RDSDataClient;

beforeAll(async () => {
  cluster = await startCluster();
  clock = createManualClock();
  const { username, password } = new URL(cluster.postgres.url);
  secrets.set(secretArn, { username, password });
  server = await startDataApi({
    databaseUrl: cluster.postgres.url,
    clusterArn: resourceArn,
    databaseName: "events",
    readSecret: async (arn) => {
      if (arn.endsWith("-unreadable")) throw new Error("no answer");
      return secrets.get(arn);
    },
    clock,
  });
  client = new RDSDataClient({
    endpoint: server.url,
    ...LOCAL_AWS,
    maxAttempts: 1,
  });
});

afterAll(async () => {
  client.destroy();
  await server.stop();
  await cluster.remove();
});

beforeEach(() => run("create table t (id int primary key, note text)"));

afterEach(async () => {
  server.faults.clear();
  await run("drop table t");
});

const parameter = (name: string, value: Field): SqlParameter => ({ name, value });

const run = (sql: string, parameters: SqlParameter[] = [], more: Partial<ExecuteStatementCommandInput> = {}) =>
  client.send(new ExecuteStatementCommand({ ...target, sql, parameters, ...more }));

const begin = async () => (await client.send(new BeginTransactionCommand(target))).transactionId ?? "";
const commit = (transactionId: string) => client.send(new CommitTransactionCommand({ ...target, transactionId }));
const count = async () => (await run("select count(*) from t")).records?.[0]?.[0]?.longValue;

/** The error of a call. */
const failure = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

const refused = (name: string, message?: string | RegExp) =>
  message === undefined
    ? expect.objectContaining({ name })
    : expect.objectContaining({ name, message: expect.stringMatching(message) });

describe("a parameter", () => {
  it("a parameter is bound as the type of its member alone", async () => {
    const { records } = await run(
      "select pg_typeof(:s)::text, pg_typeof(:l)::text, pg_typeof(:d)::text, pg_typeof(:b)::text",
      [
        parameter("s", { stringValue: "a" }),
        parameter("l", { longValue: 1 }),
        parameter("d", { doubleValue: 1.5 }),
        parameter("b", { booleanValue: true }),
      ],
    );

    const names = records?.[0]?.map((field) => field.stringValue);
    expect(names).toEqual(["text", "bigint", "double precision", "boolean"]);
  });

  it("a parameter is compared with a uuid only after a cast", async () => {
    const uuid = "0190a5a8-7b5e-7cc1-8f5d-2b1f3c4d5e6f";
    const sql = "select 1 from (select gen_random_uuid() as id) as r where id = ";

    const bare = run(`${sql}:id`, [parameter("id", { stringValue: uuid })]);

    await expect(bare).rejects.toEqual(
      refused(
        "DatabaseErrorException",
        /^ERROR: operator does not exist: uuid = text; Hint: No operator .*; Position: 62; SQLState: 42883$/,
      ),
    );
    await run(`${sql}cast(:id as uuid)`, [parameter("id", { stringValue: uuid })]);
  });

  it("a parameter that is null is text too, and needs a cast", async () => {
    const bare = run("insert into t values (:id)", [parameter("id", { isNull: true })]);

    await expect(bare).rejects.toEqual(refused("DatabaseErrorException", /type integer but .* type text.*42804$/));
    const { records } = await run("select cast(:n as int)", [parameter("n", { isNull: true })]);
    expect(records).toEqual([[{ isNull: true }]]);
  });

  it("a parameter that is an array is refused", async () => {
    const array = run("select :a", [parameter("a", { arrayValue: { longValues: [1] } })]);
    await expect(array).rejects.toEqual(refused("ValidationException", "Array parameters are not supported"));
  });

  it("a parameter with half a surrogate pair is refused instead of altered", async () => {
    const half = run("select :a", [parameter("a", { stringValue: "\ud800" })]);
    await expect(half).rejects.toEqual(refused("SerializationException"));
  });

  it("a parameter with a NUL is refused by PostgreSQL", async () => {
    const nul = run("select :a", [parameter("a", { stringValue: "a\0b" })]);
    await expect(nul).rejects.toEqual(refused("DatabaseErrorException", /SQLState: 22021$/));
  });
});

describe("a result", () => {
  it("a result has a member for each type", async () => {
    const { records } = await run(
      `select 1::int2 as a, 9007199254740991 as b, 1.5::float8 as c, 0.1::float4 as d, 1.50::numeric(6,2) as e, true as f,
              'x'::text as g, null::int as h, '{"a":1}'::jsonb as i, date '2026-11-01' as j,
              timestamptz '2026-11-01 12:00:00.5+02' as k`,
    );

    expect(records?.[0]).toEqual([
      { longValue: 1 },
      { longValue: 9007199254740991 },
      { doubleValue: 1.5 },
      { doubleValue: Math.fround(0.1) },
      { stringValue: "1.50" },
      { booleanValue: true },
      { stringValue: "x" },
      { isNull: true },
      { stringValue: '{"a": 1}' },
      { stringValue: "2026-11-01" },
      { stringValue: "2026-11-01 10:00:00.5" },
    ]);
  });

  it("a result is one JSON text if that is asked for, and then has no records", async () => {
    const answer = await run("select 1 as a, null as b, 'x' as c", [], { formatRecordsAs: "JSON" });
    expect(answer.records).toBeUndefined();
    expect(JSON.parse(answer.formattedRecords ?? "")).toEqual([{ a: 1, b: null, c: "x" }]);
  });

  it.each(["interval '1 day'", "1::money", "'a'::\"char\"", "point '(1,2)'", "array[1]", "'\\x01'::bytea"])(
    "a result of an unsupported type is refused: %s",
    async (expression) => {
      await expect(run(`select ${expression}`)).rejects.toEqual(refused("UnsupportedResultException", "cast to text"));
    },
  );

  it("a result with an infinite time is refused", async () => {
    await expect(run("select timestamptz 'infinity'")).rejects.toEqual(refused("InternalFailure"));
  });

  it("a result counts the rows that a statement without RETURNING changed, and no others", async () => {
    const insert = "insert into t select g from generate_series(1, 3) g";
    expect(await run(insert)).toMatchObject({ numberOfRecordsUpdated: 3, generatedFields: [] });
    expect(await run(`${insert} on conflict do nothing`)).toMatchObject({ numberOfRecordsUpdated: 0 });
    expect(await run("delete from t where id < 3 returning id")).toMatchObject({
      numberOfRecordsUpdated: 0,
      records: [[{ longValue: 1 }], [{ longValue: 2 }]],
    });
  });
});

describe("a limit", () => {
  it("a limit is 4 MiB for a request, headers and all", async () => {
    expect(await sendRequestOf(4 * KIB * KIB)).toMatch(/^HTTP\/1.1 200 /);
    expect(await sendRequestOf(4 * KIB * KIB + 1)).toMatch(/^HTTP\/1.1 413 /);
  });

  it("a limit is 64 KiB for a row", async () => {
    const row = (bytes: number) => run(`select repeat('x', ${bytes - 1}) as a, 'y' as b`);
    await row(64 * KIB);
    await expect(row(64 * KIB + 1)).rejects.toEqual(refused("UnsupportedResultException", "64 KB"));
  });

  it("a limit is 1 MiB for an answer", async () => {
    const rows = 32;
    const room = KIB * KIB - '{"numberOfRecordsUpdated":0,"records":[]}'.length;
    const each = Math.floor((room + 1) / rows) - ',[{"stringValue":""}]'.length;
    const rest = room + 1 - rows * (each + ',[{"stringValue":""}]'.length);
    const answer = (extra: number) =>
      run(
        `select repeat('x', ${each} + case when g = 1 then ${rest + extra} else 0 end) from generate_series(1, ${rows}) g`,
      );

    expect((await answer(0)).records).toHaveLength(rows);
    await expect(answer(1)).rejects.toEqual(
      refused("UnsupportedResultException", "The result exceeds the size limit 1 MB"),
    );
  });

  it("a limit is 65,536 characters for the SQL", async () => {
    const sql = (length: number) => "select 1".padEnd(length, " ");
    await run(sql(65_536));
    await expect(run(sql(65_537))).rejects.toEqual(refused("ValidationException"));
  });

  it("a limit is 45 seconds for a statement, which is then cancelled", async () => {
    const failed = failure(run("insert into t select 1 from pg_sleep(60)"));
    await activeStatements("pg_sleep(60)", 1);

    clock.advance(44_999);
    await activeStatements("pg_sleep(60)", 1);
    clock.advance(1);

    expect(await failed).toMatchObject({ name: "StatementTimeoutException", dbConnectionId: expect.any(Number) });
    await activeStatements("pg_sleep(60)", 0);
  });
});

describe("SQL", () => {
  it.each([
    ["two statements", "select 1; select 2", "ValidationException", "Multistatements aren't supported"],
    ["no statement", "-- nothing", "ValidationException", "no statement"],
    ["a positional parameter", "select $1", "ValidationException", /input: \$1$/],
    ["a parameter that is not given", "select :a", "ValidationException", "Cannot find parameter: a"],
    ["a word with a colon in dollar quotes", "select $$a :b$$", "ValidationException", "differently at :b"],
    ["COPY", "copy t to stdout", "DatabaseErrorException", "CopyOutResponse"],
    ["BEGIN", "begin", "ValidationException", "by separate calls"],
    [
      "a table that is not there",
      "select 1 from x",
      "DatabaseErrorException",
      /^ERROR: relation "x" does not exist; Position: 15; SQLState: 42P01$/,
    ],
  ])("SQL with %s is refused", async (_what, sql, name, message) => {
    await expect(run(sql)).rejects.toEqual(refused(name, message));
  });

  it("SQL may end in a semicolon, and may hold some in a dollar quote", async () => {
    await run("do $$ begin insert into t values (1); insert into t values (2); end $$;");
    expect(await count()).toBe(2);
  });

  it("SQL that breaks a constraint is refused with the detail before the SQLSTATE", async () => {
    await run("insert into t values (1)");
    await expect(run("insert into t values (1)")).rejects.toEqual(
      refused(
        "DatabaseErrorException",
        /^ERROR: duplicate key value violates unique constraint "t_pkey"\n {2}Detail: Key \(id\)=\(1\) already exists\.; SQLState: 23505$/,
      ),
    );
  });

  it("SQL leaves nothing of its session to the next call", async () => {
    await run("set application_name = 'mine'");
    await run("create temporary table mine ()");
    await run("prepare mine as select 1");
    await run("select cast(pg_advisory_lock(1601) as text)");

    const { records } = await run(`select current_setting('application_name'), to_regclass('mine')::text,
      (select count(*) from pg_prepared_statements where name = 'mine'), (select count(*) from pg_locks where objid = 1601)`);

    const none = { longValue: 0 };
    expect(records?.[0]).toEqual([{ stringValue: "sluice data api" }, { isNull: true }, none, none]);
  });
});

describe("a request", () => {
  it.each([
    ["another cluster", { resourceArn: `${resourceArn}-2` }, "NotFoundException"],
    ["another secret", { secretArn: `${secretArn}-2` }, "SecretsErrorException"],
    ["another database", { database: "other" }, "DatabaseErrorException"],
    ["no database", { database: undefined }, "ValidationException"],
    ["a schema", { schema: "public" }, "ValidationException"],
    ["an unknown transaction", { transactionId: "none" }, "TransactionNotFoundException"],
  ])("a request that names %s is refused", async (_what, change, name) => {
    await expect(run("select 1", [], change)).rejects.toEqual(refused(name));
  });
});

describe("a secret", () => {
  /** Each test has another password, and so no connection of a test before. */
  let other: Credentials;
  const whoAmI = async (secretArn: string) =>
    (await run("select current_user::text", [], { secretArn })).records?.[0]?.[0]?.stringValue;
  beforeAll(() => run("create role other login"));
  beforeEach(async () => {
    other = { username: "other", password: randomUUID() };
    secrets.set(otherArn, other);
    await run(`alter role other password '${other.password}'`);
  });
  afterAll(async () => {
    secrets.delete(otherArn);
    await run("drop role other");
  });

  it("a secret decides the user, and so the rights, of a call", async () => {
    expect(await whoAmI(otherArn)).toBe("other");
    expect(await whoAmI(secretArn)).toBe("sluice");
    await expect(run("select 1 from t", [], { secretArn: otherArn })).rejects.toEqual(
      refused("DatabaseErrorException", /^ERROR: permission denied for table t; SQLState: 42501$/),
    );
  });

  it("a secret with a wrong password fails as the database's refusal, also after calls with the right one", async () => {
    expect(await whoAmI(otherArn)).toBe("other");

    secrets.set(otherArn, { ...other, password: "wrong" });

    for (const call of [
      () => whoAmI(otherArn),
      () => client.send(new BeginTransactionCommand({ ...target, secretArn: otherArn })),
    ]) {
      await expect(call()).rejects.toEqual(
        refused("DatabaseErrorException", /^FATAL: password authentication failed for user "other"; SQLState: 28P01$/),
      );
    }
  });

  it("a secret is read at each call, so that a new value is used at once", async () => {
    expect(await whoAmI(otherArn)).toBe("other");
    await run("alter role other password 'second'");

    secrets.set(otherArn, { ...other, password: "second" });

    expect(await whoAmI(otherArn)).toBe("other");
  });

  it("a secret that cannot be read fails like one that is not there", async () => {
    await expect(whoAmI(`${secretArn}-unreadable`)).rejects.toEqual(
      refused("SecretsErrorException", "Secrets Manager can't find the specified secret."),
    );
  });

  it("a secret owns the transactions that it began", async () => {
    const transactionId = await begin();
    const of = { ...target, secretArn: otherArn, transactionId };

    for (const call of [
      client.send(new ExecuteStatementCommand({ ...of, sql: "select 1" })),
      client.send(new CommitTransactionCommand(of)),
      client.send(new RollbackTransactionCommand(of)),
    ]) {
      await expect(call).rejects.toEqual(refused("TransactionNotFoundException"));
    }
    await run("insert into t values (1)", [], { transactionId });
    await commit(transactionId);
    expect(await count()).toBe(1);
  });

  it("a secret shares the connections with the others, which are not more than one could have", async () => {
    for (const arn of [secretArn, otherArn]) {
      const calls = Array.from({ length: 2 * MAX_CONNECTIONS }, () => whoAmI(arn));
      expect(new Set(await Promise.all(calls)).size).toBe(1);
    }

    const connections = async () => {
      const { records } = await run("select count(*) from pg_stat_activity where application_name = 'sluice data api'");
      return records?.[0]?.[0]?.longValue;
    };
    await vi.waitFor(async () => expect(await connections()).toBeLessThanOrEqual(MAX_CONNECTIONS));
  });
});

describe("a part of the Data API that no statement of Sluice uses", () => {
  it.each<[string, Partial<ExecuteStatementCommandInput>]>([
    ["typeHint", { parameters: [{ name: "a", typeHint: "UUID", value: { stringValue: "a" } }] }],
    ["blobValue", { parameters: [parameter("a", { blobValue: new Uint8Array([1]) })] }],
    ["includeResultMetadata", { includeResultMetadata: true }],
    ["continueAfterTimeout", { continueAfterTimeout: true }],
    ["resultSetOptions", { resultSetOptions: { longReturnType: "STRING" } }],
  ])("a member of the Data API that no statement of Sluice uses is refused by its name: %s", async (member, change) => {
    await expect(run("select :a", [], change)).rejects.toEqual(
      refused("ValidationException", `The local Data API does not support ${member}`),
    );
  });

  it("an operation of the Data API that Sluice does not use is refused by its path", async () => {
    const batch = new BatchExecuteStatementCommand({ ...target, sql: "select 1" });
    await expect(client.send(batch)).rejects.toEqual(refused("UnknownOperationException", "POST /BatchExecute"));
  });
});

describe("a transaction", () => {
  it("a transaction shows its changes to others only when it is committed", async () => {
    const transactionId = await begin();
    await run("insert into t values (1)", [], { transactionId });
    expect(await count()).toBe(0);

    const { transactionStatus } = await commit(transactionId);

    expect(transactionStatus).toBe("Transaction Committed");
    expect(await count()).toBe(1);
    await expect(commit(transactionId)).rejects.toEqual(refused("TransactionNotFoundException"));
  });

  it("a transaction leaves nothing when it is rolled back", async () => {
    const transactionId = await begin();
    await run("insert into t values (1)", [], { transactionId });

    const { transactionStatus } = await client.send(new RollbackTransactionCommand({ ...target, transactionId }));

    expect(transactionStatus).toBe("Rollback Complete");
    expect(await count()).toBe(0);
  });

  it("a transaction keeps its session, savepoints included", async () => {
    const transactionId = await begin();
    const inside = (sql: string) => run(sql, [], { transactionId });
    await inside("set local application_name = 'mine'");
    await inside("savepoint before");
    await expect(inside("select 1 / 0")).rejects.toEqual(refused("DatabaseErrorException", /22012$/));
    await expect(inside("select 1")).rejects.toEqual(refused("DatabaseErrorException", /25P02$/));
    await inside("rollback to before");

    const { records } = await inside("select current_setting('application_name')");

    expect(records?.[0]?.[0]?.stringValue).toBe("mine");
    await commit(transactionId);
  });

  it("a transaction is not committed after a statement failed", async () => {
    const transactionId = await begin();
    await run("insert into t values (1)", [], { transactionId });
    await expect(run("select 1 / 0", [], { transactionId })).rejects.toEqual(refused("DatabaseErrorException"));

    await expect(commit(transactionId)).rejects.toEqual(refused("DatabaseErrorException", /25P02$/));

    expect(await count()).toBe(0);
  });

  it("a transaction takes one statement at a time", async () => {
    const transactionId = await begin();
    const gate = await closeGate();
    const first = run(`select 1 from ${GATE}`, [], { transactionId });
    await activeStatements(GATE, 1);

    const second = run("select 1", [], { transactionId });

    await expect(second).rejects.toEqual(refused("DatabaseErrorException", /^Transaction is still running a query$/));
    await gate.open();
    await first;
    await commit(transactionId);
  });

  it("a transaction is rolled back after 3 minutes without a call", async () => {
    const transactionId = await begin();
    clock.advance(3 * 60_000 - 1);
    await run("insert into t values (1)", [], { transactionId });
    clock.advance(3 * 60_000 - 1);
    await run("insert into t values (2)", [], { transactionId });

    clock.advance(3 * 60_000);

    await expect(commit(transactionId)).rejects.toEqual(refused("TransactionNotFoundException"));
    expect(await count()).toBe(0);
  });

  it("a transaction is rolled back after 24 hours, however busy", async () => {
    const transactionId = await begin();
    const step = 160_000;
    for (let calls = 1; calls < (24 * 60 * 60_000) / step; calls += 1) {
      clock.advance(step);
      await run("select 1", [], { transactionId });
    }

    clock.advance(step);

    await expect(run("select 1", [], { transactionId })).rejects.toEqual(refused("TransactionNotFoundException"));
  });
});

describe("an injected fault", () => {
  it.each([
    ["DatabaseResumingException", 400],
    ["ThrottlingException", 400],
    ["InternalServerErrorException", 500],
    ["ServiceUnavailableError", 503],
    ["DatabaseUnavailableException", 504],
  ] as const)("answers %s with status %d for as many calls as it says", async (error, status) => {
    server.faults.add({ kind: "error", error, calls: 1 });

    await expect(run("insert into t values (1)")).rejects.toMatchObject({
      name: error,
      $metadata: { httpStatusCode: status },
    });
    expect(await count()).toBe(0);
  });

  it.each([
    [{ kind: "errorAfter", error: "DatabaseUnavailableException" } as const, "DatabaseUnavailableException", 1],
    [{ kind: "dropAfter" } as const, /ECONNRESET|socket hang up/, 1],
    [{ kind: "dropBefore" } as const, /ECONNRESET|socket hang up/, 0],
  ])("an injected fault loses the answer: %j", async (fault, error, rows) => {
    server.faults.add({ ...fault, calls: 1 });

    const outcome = await failure(run("insert into t values (1)"));

    expect(String(outcome)).toMatch(error);
    expect(await count()).toBe(rows);
  });

  it("an injected fault refuses statements about one event with its SQLSTATE until it is taken away", async () => {
    const insert = () => run("insert into t values (1, :note)", [parameter("note", { stringValue: "a refused b" })]);
    const set = (method: string, body?: unknown) =>
      fetch(`${server.url}/_faults`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

    await set("PUT", [{ kind: "refuse", text: "refused", sqlState: "22P02" }]);
    await expect(insert()).rejects.toEqual(refused("DatabaseErrorException", /SQLState: 22P02$/));
    await run("insert into t values (2, :note)", [parameter("note", { stringValue: "healthy" })]);
    await set("DELETE");
    await insert();

    expect(await count()).toBe(2);
  });

  it("an injected fault keeps a call waiting until it is taken away", async () => {
    server.faults.add({ kind: "hang" });
    const hanging = run("select 1").catch(() => "dropped");
    const winner = await Promise.race([hanging, new Promise((resolve) => setTimeout(resolve, 50, "waiting"))]);

    server.faults.clear();

    expect(winner).toBe("waiting");
    expect(await hanging).toBe("dropped");
  });

  it("a malformed fault is refused over HTTP", async () => {
    const { status } = await fetch(`${server.url}/_faults`, { method: "PUT", body: '[{"kind":"nonsense"}]' });
    expect(status).toBe(400);
  });
});

describe("a PostgreSQL that is stopped or does not answer", () => {
  it("a PostgreSQL that does not answer makes a statement time out", async () => {
    const gate = await closeGate();
    const failed = failure(run(`select 1 from ${GATE}`));
    await activeStatements(GATE, 1);

    cluster.postgres.pause();
    clock.advance(45_000);
    const error = await failed.finally(() => cluster.postgres.resume());
    await gate.open();

    expect(error).toEqual(refused("StatementTimeoutException"));
    expect(await count()).toBe(0);
  });

  it("a PostgreSQL that stops makes calls fail with 504 and transactions as not found until it is back", async () => {
    const transactionId = await begin();
    const failed = failure(run("select 1 from pg_sleep(60)"));
    await activeStatements("pg_sleep(60)", 1);

    await cluster.postgres.stop("immediate");
    expect(await failed).toMatchObject({
      name: "DatabaseUnavailableException",
      $metadata: { httpStatusCode: 504 },
    });
    await expect(run("select 1")).rejects.toEqual(refused("DatabaseUnavailableException"));
    await cluster.postgres.start();

    await expect(run("select 1", [], { transactionId })).rejects.toEqual(refused("TransactionNotFoundException"));
    expect(await count()).toBe(0);
  });
});

/** Holds up a statement that has this in its FROM until the test opens it. */
const GATE = "pg_advisory_xact_lock(1)";

async function closeGate(): Promise<{ open(): Promise<void> }> {
  const holder = new Client(cluster.postgres.url);
  await holder.connect();
  await holder.query("select pg_advisory_lock(1)");
  return { open: () => holder.end() };
}

/** Waits until this many statements with that text run. */
async function activeStatements(text: string, expected: number): Promise<void> {
  const sql =
    "select count(*) from pg_stat_activity where state = 'active' and query like :like and pid <> pg_backend_pid()";
  await vi.waitFor(
    async () => {
      const { records } = await run(sql, [parameter("like", { stringValue: `%${text}%` })]);
      expect(records?.[0]?.[0]?.longValue).toBe(expected);
    },
    { timeout: 60_000, interval: 20 },
  );
}

/** Sends a valid request of exactly this many bytes, as no HTTP client lets us, and returns the answer's first line. */
async function sendRequestOf(bytes: number): Promise<string> {
  const { host } = new URL(server.url);
  const body = (padding: number) =>
    JSON.stringify({ ...target, sql: "select 1", parameters: [] }) + " ".repeat(padding);
  const head = (length: number) => `POST /Execute HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${length}\r\n\r\n`;
  const padding = bytes - body(0).length - head(bytes).length;
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
  const content = body(padding);
  socket.write(head(content.length) + content);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString();
}
