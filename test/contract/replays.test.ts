import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createJobStarts } from "../../functions/adapters/data-api/job-starts.ts";
import { createReplayJobs } from "../../functions/adapters/data-api/replay-jobs.ts";
import { createReplayWork } from "../../functions/adapters/data-api/replay-work.ts";
import { writeEnvelope } from "../../functions/core/envelope.ts";
import type { NewReplay, ReplayJob, ReplayJobs, ReplayRequest, ReplayWork } from "../../functions/core/replay-job.ts";
import { INSTALLATION } from "../../functions/core/scopes.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { bodyOf, deadLetterId, putDeadLetters } from "../support/dead-letter-rows.ts";
import { newDeadLetter } from "../support/dead-letter-samples.ts";
import { storable } from "../support/event-samples.ts";
import { jobStartsConformance } from "../support/conformance/job-starts.ts";
import { eventually } from "../support/eventually.ts";

let db: TestDatabase;
let jobs: ReplayJobs;
let work: ReplayWork;
beforeAll(async () => {
  db = await startMigratedDatabase();
  jobs = createReplayJobs(db.writer);
  work = createReplayWork(db.writer);
});
afterAll(() => db.remove());
afterEach(() => db.empty("dead_letter_replays", "replay_edits", "replays", "dead_letters", "events", "event_keys"));

const EVERYTHING = { types: undefined, sources: undefined };
const scope = (tenant = "acme", allowed: NewReplay["allowed"] = EVERYTHING) => ({ tenant, allowed });
let numbers = 0;
const newJob = (changes: Partial<NewReplay> = {}): NewReplay => ({
  id: `rpl_${String((numbers += 1)).padStart(32, "0")}`,
  action: "replay",
  tenant: "acme",
  request: { maxReplays: 5 },
  keyId: "keyOfReplay0",
  allowed: EVERYTHING,
  planned: 0,
  edits: [],
  ...changes,
});
const start = (changes: Partial<NewReplay> = {}) => jobs.start(newJob(changes), soon());
const hold = async ({ id }: ReplayJob, holder = "step") => {
  const held = await work.hold(id, holder, 60, soon());
  if (held.kind !== "held") throw new Error(`The job is ${held.kind}.`);
  return held.job;
};
const take = async (job: ReplayJob, most = 1_000) => work.take(job, { holder: "step", most }, soon());
/** Starts a job, and takes all that it can. */
async function taken(changes: Partial<NewReplay> = {}) {
  const job = await hold(await start(changes));
  expect(await take(job)).toMatchObject({ kind: "taken", isAtEnd: true });
  return { job, unsent: await work.readUnsent(job.id, undefined, soon()) };
}
const idIn = (body: string) => String((JSON.parse(body) as { events: { id: string }[] }).events[0]?.id);
const states = async () =>
  Object.fromEntries(
    (await db.ask<{ event_id: string; state: string }>("select event_id, state from dead_letters")).map((row) => [
      row.event_id,
      row.state,
    ]),
  );
const planned = async (request: ReplayRequest, of = scope()) => (await jobs.plan(of, request, soon())).planned;

describe("the plan of a replay", () => {
  it("a plan counts the open dead letters of the tenant, and shows the oldest", async () => {
    await putDeadLetters(db, ["b"], { openedAt: "2026-11-21T09:00:01Z" });
    await putDeadLetters(db, ["a"]);
    await putDeadLetters(db, ["closed"], { state: "discarded" });
    await putDeadLetters(db, ["foreign"], { tenant: "other" });

    const plan = await jobs.plan(scope(), { maxReplays: 5 }, soon());

    expect(plan.planned).toBe(2);
    expect(plan.sample.map(({ eventId }) => eventId)).toEqual(["a", "b"]);
    expect(plan.sample[0]).toEqual({
      id: deadLetterId("a"),
      reason: "not_storable",
      sqlState: "22P05",
      message: "ERROR: 1",
      tenant: "acme",
      type: "a.b",
      source: "/s",
      eventId: "a",
      receivedAt: "2026-11-21T09:00:00.000Z",
      openedAt: "2026-11-21T09:00:00.000000Z",
      state: "open",
      attempts: 1,
      replays: 0,
    });
  });

  it("a plan of the installation has the dead letters of all tenants, and of none", async () => {
    await putDeadLetters(db, ["a"]);
    await putDeadLetters(db, ["b"], { tenant: "other" });
    await putDeadLetters(db, ["c"], { tenant: null });

    expect(await planned({}, scope(INSTALLATION))).toBe(3);
    expect(await planned({})).toBe(1);
  });

  it("a plan has nothing that the key's types and sources do not allow, and nothing without a type or source", async () => {
    await putDeadLetters(db, ["a"], { type: "com.example.a" });
    await putDeadLetters(db, ["b"], { type: "org.example.b" });
    await putDeadLetters(db, ["c"], { type: null, source: null });

    const of = (types: string[] | undefined, sources?: string[]) => planned({}, scope("acme", { types, sources }));
    expect([
      await of(["com.*"]),
      await of(["*"]),
      await of(undefined, ["/s"]),
      await of([]),
      await of(["*"], ["/t"]),
    ]).toEqual([1, 2, 2, 0, 0]);
  });

  it.each<[string, ReplayRequest, string[]]>([
    ["a filter of attributes", { filter: '{"exact":{"id":"a"}}' }, ["a"]],
    ["a filter of data", { filter: '{"data":{"n":[{"numeric":[">",2]}]}}' }, ["b"]],
    ["a filter that excludes", { filter: '{"not":{"exact":{"type":"a.b"}}}' }, ["b", "c"]],
    ["ids", { ids: [deadLetterId("c"), deadLetterId("none")] }, ["c"]],
    ["reasons", { reasons: ["other", "constraint_violation"] }, ["b"]],
    ["SQLSTATEs", { sqlStates: ["22P05"] }, ["a", "c"]],
    ["groups of messages", { messageGroups: ["it's ? \\ %L"] }, ["c"]],
    ["the beginning of a time", { opened: { from: "2026-11-21T09:00:01Z" } }, ["b", "c"]],
    ["the end of a time", { opened: { to: "2026-11-21T09:00:01Z" } }, ["a"]],
    ["a bound of replays", { maxReplays: 2 }, ["a", "b"]],
    ["a limit", { limit: 1 }, ["a"]],
  ])("a plan is narrowed by %s, and the job takes just these", async (_name, request, expected) => {
    await putDeadLetters(db, ["a"], { data: { n: 1 } });
    await putDeadLetters(db, ["b"], {
      type: "b.c",
      data: { n: 3 },
      reason: "constraint_violation",
      sqlState: "23514",
      openedAt: "2026-11-21T09:00:01Z",
    });
    await putDeadLetters(db, ["c"], {
      type: "c.d",
      messageGroup: "it's ? \\ %L",
      openedAt: "2026-11-21T09:00:02Z",
      replays: 2,
    });

    expect(await planned(request)).toBe(expected.length);

    const { unsent } = await taken({ request });
    expect(unsent.map(({ body }) => idIn(body)).toSorted()).toEqual(expected);
  });

  it("a text of a user in the condition is refused by the database as well", async () => {
    const sql = (condition: string) =>
      db.writer
        .execute(
          "select planned from plan_replay('acme', null, null, '{}', :condition, array['x'], 1)",
          { condition },
          soon(),
        )
        .then(
          () => "allowed",
          ({ sqlState }: { sqlState: string }) => sqlState,
        );

    expect(await sql("e.id = ($1)[1]")).toBe("allowed");
    for (const condition of [
      "true) or (true",
      "true; drop table dead_letters",
      "e.id = 'x'",
      "pg_sleep(1) is not true",
      "d.state = e.id",
      "exists (select from event_keys)",
      "e.idx = e.id",
      "",
    ])
      expect([condition, await sql(condition)]).toEqual([condition, "42601"]);
  });
});

jobStartsConformance(async () => {
  await db.empty("job_starts");
  return {
    starts: createJobStarts(db.writer),
    pass: async (hours) =>
      void (await db.ask(`update job_starts set started_at = started_at - interval '${hours} hours' returning id`)),
  };
});

describe("the plan of a replay", () => {
  it("the time of a plan bounds the job to what the plan has counted", async () => {
    await putDeadLetters(db, ["a", "b"], { openedAt: "2026-11-21T09:00:01.000002Z" });
    const { planned: counted, until } = await jobs.plan(scope(), { maxReplays: 5 }, soon());
    expect([counted, until]).toEqual([2, "2026-11-21T09:00:01.000003Z"]);
    await putDeadLetters(db, ["c"], { openedAt: "2026-11-21T09:00:01.000003Z" });

    const { unsent } = await taken({ request: { maxReplays: 5, opened: { to: until } } });

    expect(unsent.map(({ body }) => idIn(body)).toSorted()).toEqual(["a", "b"]);
  });
});

describe("the jobs of replays", () => {
  it("a job is read as it was started, by its tenant and the installation alone, and is started once", async () => {
    const filter = `{"any":[${Array.from({ length: 2_000 }, (_, i) => `{"exact":{"id":"é-${i}"}}`).join(",")}]}`;
    const request = {
      filter,
      reasons: ["not_storable"],
      opened: { from: "2026-11-21T09:00:00Z" },
      limit: 5,
      rate: 2,
      maxReplays: 5,
    };
    const job = newJob({ request, allowed: { types: ["a.*"], sources: [] }, planned: 3 });

    const started = await jobs.start(job, soon());

    const { edits: _edits, ...kept } = job;
    expect(started).toMatchObject({ ...kept, state: "running", taken: 0, sent: 0, stored: 0, deadLettered: 0 });
    expect(await jobs.start({ ...job, planned: 9 }, soon())).toEqual(started);
    expect(await jobs.read("acme", job.id, soon())).toEqual(started);
    expect(await jobs.read(INSTALLATION, job.id, soon())).toEqual(started);
    expect(await jobs.read("other", job.id, soon())).toBeUndefined();
  });

  it("jobs are listed in parts, latest first, without those of other tenants", async () => {
    const [a, b, c] = [await start(), await start(), await start()];
    const foreign = await start({ tenant: "other" });

    const first = await jobs.list("acme", { after: undefined, limit: 2 }, soon());
    const second = await jobs.list("acme", { after: first.next, limit: 2 }, soon());
    const all = await jobs.list(INSTALLATION, { after: undefined, limit: 9 }, soon());

    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([c.id, b.id, a.id]);
    expect([first.next, second.next]).toEqual([b.id, undefined]);
    expect(all.items.map(({ id }) => id)).toEqual([foreign.id, c.id, b.id, a.id]);
    expect(await jobs.countUnfinished("acme", soon())).toBe(3);
  });

  it("a job is cancelled by its tenant alone, and takes no more", async () => {
    await putDeadLetters(db, ["a"]);
    const job = await hold(await start());

    expect(await jobs.cancel("other", job.id, soon())).toBeUndefined();
    expect(await jobs.cancel("acme", job.id, soon())).toMatchObject({ isCancelling: true, state: "running" });

    expect(await take(job)).toEqual({ kind: "cancelled" });
    expect(await states()).toEqual({ a: "open" });
  });

  it("a job has one step at a time, until its lease ends", async () => {
    const job = await start();

    expect(await work.hold(job.id, "one", 60, soon())).toMatchObject({ kind: "held", job: { id: job.id } });
    expect(await work.hold(job.id, "two", 60, soon())).toMatchObject({ kind: "leased", seconds: 60 });
    expect(await take(job)).toEqual({ kind: "lost" });
    await db.ask("update replays set lease_until = now()");
    expect(await work.hold(job.id, "two", 60, soon())).toMatchObject({ kind: "held" });
    await work.release(job.id, "one", soon());
    expect(await work.hold(job.id, "three", 60, soon())).toMatchObject({ kind: "leased" });
    await work.release(job.id, "two", soon());
    expect(await work.hold(job.id, "three", 60, soon())).toMatchObject({ kind: "held" });
    await work.end(job.id, { state: "done" }, soon());
    expect(await work.hold(job.id, "four", 60, soon())).toMatchObject({ kind: "over", job: { state: "done" } });
    expect(await work.hold("rpl_none", "four", 60, soon())).toEqual({ kind: "absent" });
  });
});

describe("a job that takes dead letters", () => {
  it("a job takes what was open at its start, in parts, the oldest first, and each once", async () => {
    for (const [at, name] of ["d", "c", "b", "a"].entries())
      await putDeadLetters(db, [name], { openedAt: `2026-11-21T09:00:0${at}Z` });
    const job = await hold(await start());
    await putDeadLetters(db, ["late"], { openedAt: "2999-01-01T00:00:00Z" });

    expect(await take(job, 3)).toEqual({ kind: "taken", taken: 3, isAtEnd: false });
    expect(await states()).toMatchObject({ d: "replayed", c: "replayed", b: "replayed", a: "open" });
    expect(await take(job, 3)).toEqual({ kind: "taken", taken: 1, isAtEnd: true });
    expect(await take(job, 3)).toEqual({ kind: "taken", taken: 0, isAtEnd: true });

    expect(await states()).toMatchObject({ a: "replayed", late: "open" });
    expect(await jobs.read("acme", job.id, soon())).toMatchObject({ taken: 4, sent: 0 });
    expect(await db.ask("select number, sent_at from dead_letter_replays")).toEqual(
      Array.from({ length: 4 }, () => ({ number: 1, sent_at: null })),
    );
  });

  it("two jobs at once take each dead letter once, and none is left", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `event-${i}`);
    await putDeadLetters(db, names);
    const [one, two] = [await hold(await start()), await hold(await start())];

    const all = async (job: ReplayJob) => {
      let sum = 0;
      for (;;) {
        const part = await take(job, 7);
        if (part.kind !== "taken") throw new Error(part.kind);
        sum += part.taken;
        if (part.isAtEnd) return sum;
      }
    };
    const sums = await Promise.all([all(one), all(two)]);

    expect(sums[0] + sums[1]).toBe(300);
    expect(await db.ask("select distinct replays, state from dead_letters")).toEqual([
      { replays: 1, state: "replayed" },
    ]);
    expect(await db.ask("select count(*)::int from dead_letter_replays")).toEqual([{ count: 300 }]);
  });

  it("a dead letter that another job is taking is waited for, and is taken where that one is rolled back", async () => {
    await putDeadLetters(db, ["a", "b"]);
    const job = await hold(await start());
    await db.owner.query("begin");
    await db.owner.query(`update dead_letters set state = 'replayed' where id = $1`, [deadLetterId("a")]);

    const waiting = take(job);
    const waiters =
      "select count(*)::int as n from pg_locks where not granted and transactionid::text = pg_current_xact_id()::text";
    await eventually(
      () => db.ask<{ n: number }>(waiters),
      ([row]) => row?.n === 1,
    );
    await db.owner.query("rollback");

    expect(await waiting).toEqual({ kind: "taken", taken: 2, isAtEnd: true });
  });

  it("a discard closes dead letters, and none of them is open for a replay", async () => {
    await putDeadLetters(db, ["a", "b"]);
    const job = await hold(await start({ action: "discard", request: { ids: [deadLetterId("a")], note: "old" } }));

    expect(await take(job)).toEqual({ kind: "taken", taken: 1, isAtEnd: true });

    expect(await states()).toEqual({ a: "discarded", b: "open" });
    expect(await work.readUnsent(job.id, undefined, soon())).toEqual([]);
    expect(await work.end(job.id, { state: "done" }, soon())).toMatchObject({ state: "done", taken: 1, sent: 1 });
    expect(await planned({})).toBe(1);
  });

  it("an edit takes the place of the event, in the body and in the columns, with every digit", async () => {
    const [id = ""] = await putDeadLetters(db, ["a"]);
    const body = bodyOf("a", { type: "new.type" }).replace(
      '"data":{}',
      '"data":{"n":12345678901234567890.50},"subject":"s"',
    );

    const { unsent } = await taken({ request: { ids: [id], maxReplays: 5 }, edits: [{ id, body }] });

    expect(unsent).toEqual([{ id, number: 1, tenant: "acme", body }]);
    expect(await db.ask("select type, subject, data::text from dead_letters")).toEqual([
      { type: "new.type", subject: "s", data: '{"n": 12345678901234567890.50}' },
    ]);
  });

  it("a late copy of a dead letter that was corrected meanwhile adds nothing, and another event of that id does", async () => {
    const store = createDeadLetterStore(db.writer);
    const first = newDeadLetter({ messageId: "m1", tenant: "acme" });
    await store.record([first], soon());
    const [row] = await db.ask<{ id: string }>("select id from dead_letters");
    const id = row?.id ?? "";
    const body = first.body.replace('"total":7', '"total":8');
    await taken({ request: { ids: [id], maxReplays: 5 }, edits: [{ id, body }] });

    expect((await store.record([{ ...first, messageId: "m2" }], soon())).recorded).toBe(0);
    const other = newDeadLetter({ messageId: "m3", tenant: "acme", event: { data: { total: 9 } } });
    expect((await store.record([other], soon())).recorded).toBe(1);
  });

  it("only open dead letters of the caller can be corrected", async () => {
    const traces = {
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      eventTraceparent: `00-${"a".repeat(32)}-${"c".repeat(16)}-00`,
    };
    const head = { tenant: "acme", receivedAt: "2026-11-21T09:00:00.000Z", ...traces };
    const [a = "", b = "", c = "", d = ""] = [
      ...(await putDeadLetters(db, ["a"], { body: writeEnvelope(head, { traceparent: "of the event" }) })),
      ...(await putDeadLetters(db, ["b"], { state: "replayed" })),
      ...(await putDeadLetters(db, ["c"], { tenant: "other" })),
      ...(await putDeadLetters(db, ["d"], {
        type: null,
        source: null,
        eventId: null,
        isEvent: false,
        body: "no envelope",
      })),
    ];

    const found = await jobs.findEditable(scope(), [a, b, c, d], soon());

    expect(found.toSorted((one, two) => (one.isEvent > two.isEvent ? -1 : 1))).toEqual([
      { ...head, id: a, source: "/s", eventId: "a", isEvent: true },
      {
        id: d,
        tenant: "acme",
        source: undefined,
        eventId: undefined,
        receivedAt: "2026-11-21T09:00:00.000Z",
        isEvent: false,
      },
    ]);
    expect(await jobs.findEditable(scope("acme", { types: ["x.*"], sources: undefined }), [a], soon())).toEqual([]);
  });
});

describe("what a job has taken", () => {
  it("bodies come back as they are, larger than a result too, in pages that end", async () => {
    const bodies = { a: "é".repeat(40_000), b: '"\u{1f680}\\'.repeat(200_000), c: "c", d: "\n".repeat(400_000) };
    for (const [name, body] of Object.entries(bodies)) await putDeadLetters(db, [name], { body });
    const { job, unsent } = await taken();

    const pages = [unsent];
    for (let page = unsent; page.length > 0; pages.push(page))
      page = await work.readUnsent(job.id, page.at(-1)?.id, soon());

    expect(pages.length).toBeGreaterThan(1);
    const all = pages.flat();
    expect(all).toHaveLength(4);
    expect(Object.fromEntries(all.map(({ id, body }) => [id, body]))).toEqual(
      Object.fromEntries(Object.entries(bodies).map(([name, body]) => [deadLetterId(name), body])),
    );
  });

  it("what is marked is read no more, and counts once", async () => {
    const [a = "", b = ""] = await putDeadLetters(db, ["a", "b"]);
    const { job } = await taken();

    await work.markSent(job.id, [a], soon());
    await work.markSent(job.id, [a], soon());

    expect((await work.readUnsent(job.id, undefined, soon())).map(({ id }) => id)).toEqual([b]);
    expect(await jobs.read("acme", job.id, soon())).toMatchObject({ taken: 2, sent: 1 });
  });

  it("a job does not end while something is not sent, unless it gives that back", async () => {
    const [a = ""] = await putDeadLetters(db, ["a", "b"]);
    const { job } = await taken();
    await work.markSent(job.id, [a], soon());

    expect(await work.end(job.id, { state: "cancelled" }, soon())).toMatchObject({ state: "running" });
    const end = { state: "failed", reason: "not_sent", detail: "why", givesBack: true } as const;
    expect(await work.end(job.id, end, soon())).toMatchObject({
      state: "failed",
      reason: "not_sent",
      detail: "why",
      sent: 1,
    });

    expect(await states()).toEqual({ a: "replayed", b: "open" });
    expect((await taken()).unsent).toMatchObject([{ number: 2 }]);
  });

  it("an event is settled as stored by its key, and as dead-lettered by its open dead letter", async () => {
    const ids = await putDeadLetters(db, ["stored", "back", "again", "under-way"]);
    await putDeadLetters(db, ["whole"], { isEvent: false, eventId: null, source: null, body: "no envelope" });
    const { job, unsent } = await taken();
    await work.markSent(
      job.id,
      unsent.map(({ id }) => id),
      soon(),
    );
    await work.end(job.id, { state: "done" }, soon());
    await createEventStore(db.writer).store([storable({ id: "stored", source: "/s" }, { tenant: "acme" })], soon());
    await db.ask("update dead_letters set state = 'open' where id = $1", [ids[1]]);
    await db.ask("update dead_letters set replays = 2 where id = $1", [ids[2]]);

    const few = createReplayWork(db.writer, { settleMost: 1 });
    expect(await few.settle(job.id, soon())).toMatchObject({ job: { stored: 1, deadLettered: 2 }, unsettled: 1 });

    await createEventStore(db.writer).store([storable({ id: "under-way", source: "/s" }, { tenant: "acme" })], soon());
    expect(await work.settle(job.id, soon())).toMatchObject({ job: { stored: 2, deadLettered: 2 }, unsettled: 0 });
    expect(await work.settle("rpl_none", soon())).toBeUndefined();
  });
});

describe("the retention of dead letters", () => {
  it("closed dead letters are deleted after their time, and never an open one or one on its way", async () => {
    await putDeadLetters(db, ["open"]);
    for (const name of ["discarded", "young"]) await putDeadLetters(db, [name], { state: "discarded" });
    const sent = await putDeadLetters(db, ["stored", "under-way"], { state: "replayed", replays: 1 });
    await db.ask(
      "insert into dead_letter_replays (dead_letter_id, number, replay_id) select unnest($1::text[]), 1, 'r'",
      [sent],
    );
    await db.ask("update dead_letter_replays set outcome = 'stored' where dead_letter_id = $1", [sent[0]]);
    await db.ask("update dead_letters set closed_at = now() - interval '3 days' where event_id <> 'young'");
    await db.ask("update dead_letters set closed_at = now() where event_id = 'young'");

    const { rows } = await db.database.execute(
      "select delete_closed_dead_letters(now() - interval '2 days', 10)",
      {},
      soon(),
    );

    expect(rows).toEqual([[2]]);
    expect(Object.keys(await states()).toSorted()).toEqual(["open", "under-way", "young"]);
  });
});
