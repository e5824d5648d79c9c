import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createArchiveRewrites } from "../../functions/adapters/data-api/archive-rewrites.ts";
import { createArchiveSource } from "../../functions/adapters/data-api/archive-source.ts";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { createErasureJobs } from "../../functions/adapters/data-api/erasure-jobs.ts";
import { createErasureWork } from "../../functions/adapters/data-api/erasure-work.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createHolds } from "../../functions/adapters/data-api/holds.ts";
import type { ArchiveFiles } from "../../functions/core/archive-files.ts";
import type { ErasureJob } from "../../functions/core/erasure-job.ts";
import type { SqlDatabase, StorableEvent } from "../../functions/core/ports.ts";
import { findManifest, listManifests, readPart } from "../../functions/core/read-archive.ts";
import { createArchiveDay } from "../../functions/retain/archive-day.ts";
import { createArchiveStep } from "../../functions/retain/archive-step.ts";
import { createErasedObjects } from "../../functions/retain/erased-objects.ts";
import { createErasureStep } from "../../functions/retain/erasure-step.ts";
import { verify } from "../../scripts/archive/verify.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { newDeadLetter } from "../support/dead-letter-samples.ts";
import { erasureId, PLANNED } from "../support/erasure.ts";
import { storable } from "../support/event-samples.ts";
import { aged, daysAgo, retainStep, storeAged } from "../support/retention.ts";
import { passHorizon, settle } from "../support/settle.ts";
import { memoryArchive } from "../unit/retain/archive-support.ts";

/** `HOLD_ROUNDS=500 npx vitest run test/simulation/holds.test.ts` takes some minutes. */
const ROUNDS = Number(process.env["HOLD_ROUNDS"] ?? 60);
const TENANTS = ["a", "b"] as const;
const SUBJECTS = ["x", "y", "z"] as const;
/** Days ago: two whose retention is over, and one of which it is not. */
const DAYS = [9, 10, 1] as const;

let db: TestDatabase;
beforeEach(async () => {
  db = await startMigratedDatabase();
  await db.ask("select declare_retention(30, array[7])");
});
afterEach(() => db.remove());

class Killed extends Error {}

/** Numbers that are the same in each run. */
function seeded(seed: string) {
  let count = 0;
  return (below: number) =>
    createHash("sha256")
      .update(`${seed} ${(count += 1)}`)
      .digest()
      .readUInt32BE(0) % below;
}

type Known = { tenant: string; id: string; subject: string; days: number };
type Held = {
  id: string;
  tenant: string;
  filter: object | undefined;
  subject: string | undefined;
  isActive: boolean;
  /** Events that could be read when it was made, or were stored since: they must be kept. */
  has: Set<string>;
  /** The same with those that could not be read: the drop of their day had begun. They may be kept. */
  mayHave: Set<string>;
};

describe("holds, drops and releases at random", () => {
  it.each([
    { seed: "one", archives: false },
    { seed: "two", archives: false },
    { seed: "three", archives: true },
    { seed: "four", archives: true },
  ])(
    "an event that could be read under a hold can be read as long as one of its holds is in force, and no longer ($seed, archive: $archives)",
    async ({ seed, archives }) => {
      const { files } = memoryArchive();
      const random = seeded(seed);
      const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
      const holds = createHolds(db.database);
      const events = new Map<string, Known>();
      const held = new Map<string, Held>();
      const seen = { kept: 0, dropped: 0, kills: 0, within: 0 };
      let ids = 0;

      const readable = async () =>
        new Set((await db.ask<{ id: string }>("select id from events order by id")).map(({ id }) => id));

      async function store(): Promise<void> {
        const known = { tenant: pick(TENANTS), id: `e${(ids += 1)}`, subject: pick(SUBJECTS), days: pick(DAYS) };
        const event: StorableEvent = aged(known.id, 7, known.days, {
          tenant: known.tenant,
          subject: known.subject,
          data: { subject: known.subject },
        });
        // A day whose detached table is there still takes no event.
        if (
          await storeAged(db, [event]).then(
            () => true,
            () => false,
          )
        ) {
          events.set(known.id, known);
          for (const each of held.values())
            if (each.isActive && covers(each, known)) for (const set of [each.has, each.mayHave]) set.add(known.id);
        }
      }

      async function make(): Promise<void> {
        const subject = random(4) === 0 ? undefined : pick(SUBJECTS);
        const filter =
          subject === undefined ? undefined : pick([{ exact: { subject } }, { data: { subject: [subject] } }]);
        const id = `hld_${String((ids += 1)).padStart(32, "0")}`;
        const tenant = pick(TENANTS);
        const before = await readable();
        const wanted = { id, tenant, filter: filter && JSON.stringify(filter), reason: "r", until: undefined };
        expect(await holds.make({ ...wanted, createdBy: "k" }, soon())).toMatchObject({ state: "active" });
        const hold: Held = { id, tenant, filter, subject, isActive: true, has: new Set(), mayHave: new Set() };
        for (const event of events.values()) {
          if (!covers(hold, event)) continue;
          hold.mayHave.add(event.id);
          if (before.has(event.id)) hold.has.add(event.id);
        }
        held.set(id, hold);
      }

      async function release(): Promise<void> {
        const active = [...held.values()].filter(({ isActive }) => isActive);
        if (active.length === 0) return;
        const hold = pick(active);
        if (random(2) === 0) await holds.release(hold.tenant, hold.id, { reason: "r", keyId: "k" }, soon());
        else await db.ask("update holds set until = now() - interval '1 second' where id = $1", [hold.id]);
        hold.isActive = false;
      }

      /** A run that is killed at some call, or within which somebody makes a hold, or neither. */
      async function run(): Promise<void> {
        const at = 1 + random(30);
        const what = pick(["kill before", "kill behind", "make", "nothing"] as const);
        let calls = 0;
        const database: Pick<SqlDatabase, "execute"> = {
          async execute(...call) {
            calls += 1;
            if (what.startsWith("kill") && (calls > at || (calls === at && what === "kill before"))) throw new Killed();
            if (what === "make" && calls === at) {
              seen.within += 1;
              await make();
            }
            const result = await db.database.execute(...call);
            if (what === "kill behind" && calls === at) throw new Killed();
            return result;
          },
        };
        const outcome = await retainStep(database, { keyPages: 1, ...archiveOf(database) })
          .run("m")
          .catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error;
            seen.kills += 1;
          });
        if (outcome === undefined) return;
        // A hold that came within the run leaves what was released to the next one.
        await db.ask("update retention_days set retry_at = null where retry_at is not null");
        // The archive has what is below the horizon, which other databases of the server hold too.
        await settle(db);
        expect((await retainStep(db.database, archiveOf(db.database)).run("m")).kind).toBe("done");
        const left = await readable();
        const due = [...events.values()].filter(({ days }) => days > 7);
        expect(due.filter((event) => left.has(event.id) && !isIn(event, "mayHave"))).toEqual([]);
        expect(due.filter((event) => !left.has(event.id) && isIn(event, "has"))).toEqual([]);
        const dropped = due.filter(({ id }) => !left.has(id));
        if (archives) {
          const inArchive = new Set((await archivedLines(files)).map(({ id }) => id));
          expect(dropped.filter(({ id }) => !inArchive.has(id))).toEqual([]);
        }
        for (const { id } of dropped) seen.dropped += Number(events.delete(id));
      }

      const archiveOf = (database: Pick<SqlDatabase, "execute">) =>
        archives
          ? {
              archive: createArchiveDay({ source: createArchiveSource(database), files, clock: () => new Date() }),
            }
          : {};

      const isIn = ({ id }: Known, set: "has" | "mayHave") =>
        [...held.values()].some((hold) => hold.isActive && hold[set].has(id));

      for (let round = 0; round < ROUNDS; round += 1) {
        await pick([store, store, store, make, release, run, run])();
        const left = await readable();
        const keys = await db.ask<{ id: string; keys: number }>(
          "select id, count(*)::int as keys from event_keys group by id",
        );
        const byId = new Map(keys.map((each) => [each.id, each.keys]));
        for (const event of events.values()) {
          if (!isIn(event, "has")) continue;
          seen.kept += 1;
          expect([event.id, left.has(event.id), byId.get(event.id)], `round ${round}`).toEqual([event.id, true, 1]);
        }
        expect(await db.ask("select tenant, id from events group by 1, 2 having count(*) > 1")).toEqual([]);
      }

      expect(Math.min(seen.kept, seen.dropped, seen.kills, seen.within)).toBeGreaterThan(0);
      // Behind the release of all nothing is left whose day is over.
      for (const { id, tenant } of held.values()) await holds.release(tenant, id, { reason: "r", keyId: "k" }, soon());
      await retainStep(db.database, archiveOf(db.database)).run("m");
      const [left] = await db.ask<{ events: number; keys: number }>(
        `select (select count(*)::int from events where received_at < $1) as events,
           (select count(*)::int from event_keys where received_at < $1) as keys`,
        [`${daysAgo(8)}T00:00:00Z`],
      );
      expect(left).toEqual({ events: 0, keys: 0 });
    },
    120_000,
  );
});

/** The events of an archive that its manifests name. */
async function archivedLines(files: ArchiveFiles, tenant?: string): Promise<{ id: string; subject?: string }[]> {
  const lines: { id: string; subject?: string }[] = [];
  for await (const key of listManifests(files, tenant === undefined ? {} : { tenant })) {
    const manifest = await findManifest(files, key);
    for (const part of manifest.parts)
      for (const line of await readPart(files, manifest, part))
        lines.push(JSON.parse(line) as { id: string; subject?: string });
  }
  return lines;
}

describe("a hold that comes while an erasure runs", () => {
  const TENANTS_AT_MOST = 160;
  const ARCHIVED_ON = "2026-11-20";
  const MARY = { by: "subject", subject: "mary" } as const;
  const { files } = memoryArchive();

  /** Of each tenant: three events of the subject in rows, three in the archive, a dead letter, and others. */
  async function prepare(): Promise<string[]> {
    const tenants = Array.from({ length: TENANTS_AT_MOST }, (_, at) => `t${at}`);
    const days = [
      { class: 30, day: ARCHIVED_ON },
      { class: 7, day: "2026-11-21" },
    ];
    await db.ask("select ensure_waiting_days($1)", [JSON.stringify(days)]);
    const of = (retention: 7 | 30, receivedAt: string, prefix: string) =>
      tenants.flatMap((tenant) =>
        [0, 1, 2, 3].map((at) => ({
          ...storable({ id: `${prefix}${at}`, ...(at < 3 && { subject: "mary" }) }, { tenant, receivedAt }),
          retention,
        })),
      );
    await createEventStore(db.writer).store(of(30, `${ARCHIVED_ON}T10:00:00.000Z`, "archived"), soon());
    await settle(db);
    const archive = createArchiveStep({
      source: createArchiveSource(db.database),
      files,
      clock: () => new Date(),
    });
    const outcome = await archive(
      { retention: 30, day: ARCHIVED_ON, isDetached: false },
      { stopAt: Infinity, deadline: soon() },
    );
    expect(outcome).toEqual({ kind: "archived" });
    await db.empty("events", "event_keys");
    await createEventStore(db.writer).store(of(7, "2026-11-21T10:00:00.000Z", "row"), soon());
    await createDeadLetterStore(db.writer).record(
      tenants.map((tenant) =>
        newDeadLetter({ tenant, messageId: tenant, event: { id: "dead", source: "/s", subject: "mary" } }),
      ),
      soon(),
    );
    return tenants;
  }

  /** The events of the subject that a tenant has. */
  async function existing(tenant: string): Promise<string[]> {
    const rows = await db.ask<{ id: string }>(
      `select id from events where tenant = $1 and subject = 'mary'
       union all select event_id from dead_letters where tenant = $1 and subject = 'mary'`,
      [tenant],
    );
    const archived = (await archivedLines(files, tenant)).filter(({ subject }) => subject === "mary");
    return [...rows, ...archived].map(({ id }) => id).toSorted();
  }

  it("at any call, whether the step is killed there or goes on: what it has and is not erased yet stays, and the job names it", async () => {
    const tenants = await prepare();
    const holds = createHolds(db.database);
    const jobs = createErasureJobs(db.database);
    const ends = { done: 0, failed: 0, withSome: 0 };
    let at = 0;
    for (let isReached = true; isReached; at += 1) {
      for (const isKilled of [true, false]) {
        const tenant = tenants.pop() ?? "none";
        const run = runner(tenant, at, isKilled);
        const job = await run.toEnd(erasureId(tenant));
        isReached = run.isReached();
        if (!isReached) continue;

        const { hold, must } = run;
        const left = await existing(tenant);
        expect([tenant, at, isKilled, must.filter((id) => !left.includes(id))]).toEqual([tenant, at, isKilled, []]);
        if (must.length > 0) expect(job).toMatchObject({ state: "failed", reason: "on_hold" });
        if (job.state === "failed") expect(job.detail).toContain(hold);
        else expect(left).toEqual([]);
        ends[job.state === "failed" ? "failed" : "done"] += 1;
        if (must.length > 0 && must.length < 7) ends.withSome += 1;

        // The same request, when the hold is released, erases all that is left.
        await holds.release(tenant, hold, { reason: "r", keyId: "k" }, soon());
        if (job.state === "failed")
          expect(await runner(tenant, Infinity, false).toEnd(erasureId(`${tenant}-2`))).toMatchObject({
            state: "done",
          });
        expect([tenant, await existing(tenant)]).toEqual([tenant, []]);
        expect((await archivedLines(files, tenant)).map(({ id }) => id)).toEqual(["archived3"]);
      }
    }

    expect(at).toBeGreaterThan(30);
    expect(Math.min(ends.done, ends.failed, ends.withSome)).toBeGreaterThan(3);
    expect((await verify(files, {})).faults).toEqual([]);
    expect(await db.ask("select * from check_rollups('2026-11-21', '2026-11-22')")).toEqual([]);

    /** Runs a job whose nth call, of the database or of the archive, is preceded by a hold of everything of the tenant. */
    function runner(tenant: string, nth: number, isKilled: boolean) {
      const hold = `hld_${Buffer.from(tenant.padEnd(16, "_")).toString("hex")}`;
      let calls = 0;
      let must: string[] = [];
      async function come(): Promise<void> {
        calls += 1;
        if (calls !== nth + 1) return;
        // What is decided in the database is written by the next call.
        const decided = await db.ask("select from archive_rewrites where tenant = $1 and sha256 is not null", [tenant]);
        must = (await existing(tenant)).filter((id) => decided.length === 0 || !id.startsWith("archived"));
        const wanted = { id: hold, tenant, filter: undefined, reason: "r", until: undefined };
        expect(await holds.make({ ...wanted, createdBy: "k" }, soon())).toMatchObject({ state: "active" });
        if (isKilled) throw new Killed();
      }
      const database: Pick<SqlDatabase, "execute"> = {
        async execute(...call) {
          await come();
          return db.database.execute(...call);
        },
      };
      const watched: ArchiveFiles = {
        ...files,
        async put(...call) {
          await come();
          return files.put(...call);
        },
        async delete(...call) {
          await come();
          return files.delete(...call);
        },
      };
      const clock = () => new Date(Date.now() + 60_000);
      const step = createErasureStep({
        work: createErasureWork(database, { mostRows: 1 }),
        objects: createErasedObjects({
          exports: {
            jobs: {
              list: async () => ({ items: [], next: undefined }),
              read: async () => undefined,
              replace: async () => undefined,
            },
            files: { ...files, read: async () => undefined },
          },
          archive: { files: watched, rewrites: createArchiveRewrites(database) },
          samples: { page: async () => ({ groups: [], next: undefined }), keep: async () => 0 },
          clock,
        }),
        steps: { send: async () => true },
        whyEnded: async () => undefined,
        clock,
      });
      return {
        hold,
        get must() {
          return must;
        },
        isReached: () => calls > nth,
        async toEnd(id: string): Promise<ErasureJob> {
          const planned = PLANNED;
          await jobs.start({ id, tenant, selection: MARY, why: "w", suppress: undefined, keyId: "k", planned }, soon());
          for (let steps = 0; steps < 200; steps += 1) {
            const outcome = await step({ erasure: id }, { messageId: "m" }, Date.now() + 300_000).catch(
              (error: unknown) => {
                if (!(error instanceof Killed)) throw error;
                return undefined;
              },
            );
            // The lease of a step that was killed ends by itself.
            if (outcome === undefined) await db.ask("update erasures set lease_until = null, lease_by = null");
            if (outcome?.kind === "settling") await passHorizon(db);
            const job = await jobs.read(tenant, id, soon());
            if (job?.finishedAt !== undefined) return job;
          }
          throw new Error(`The erasure of ${tenant} does not end.`);
        },
      };
    }
  }, 200_000);
});

const covers = (hold: Pick<Held, "tenant" | "subject">, event: Pick<Known, "tenant" | "subject">): boolean =>
  hold.tenant === event.tenant && (hold.subject === undefined || hold.subject === event.subject);
