import { createHash } from "node:crypto";
import { cpus } from "node:os";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createArchiveSource } from "../../functions/adapters/data-api/archive-source.ts";
import { createRestoreJobs } from "../../functions/adapters/data-api/restore-jobs.ts";
import { createRestoreWork } from "../../functions/adapters/data-api/restore-work.ts";
import { createRetentionWork } from "../../functions/adapters/data-api/retention-work.ts";
import { createArchiveFiles } from "../../functions/adapters/s3/archive-files.ts";
import { listManifests, openManifest } from "../../functions/core/read-archive.ts";
import { createArchiveDay } from "../../functions/retain/archive-day.ts";
import { createRestoreStep } from "../../functions/retain/restore-step.ts";
import { createRetainStep } from "../../functions/retain/step.ts";
import type { ChildServer } from "../../localstack/child-server.ts";
import { startS3 } from "../../localstack/s3/s3.ts";
import { seconds, writeBlock } from "../faults/support/reliability-page.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { bucketModel, s3Client } from "../support/s3.ts";
import { passHorizon } from "../support/settle.ts";
import { allOf } from "../support/all-of.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

/** `npm run test:archive` runs it with a million events, which takes some minutes, and writes its figures. */
const IS_FULL = process.env["ARCHIVE"] === "full";
const EVENTS = IS_FULL ? 1_000_000 : 6_000;
const TIMEOUT_MS = IS_FULL ? 3_600_000 : 240_000;
const TENANTS = ["acme", "beta", "corp"];

let db: TestDatabase;
let folder: TemporaryFolder;
let s3: ChildServer;
let client: S3Client;
beforeAll(async () => {
  db = await startMigratedDatabase();
  await db.ask(`select ensure_waiting_days('[{"class":30,"day":"2026-11-21"}]')`);
  folder = await temporaryFolder();
  s3 = await startS3({ dataDir: folder.path, buckets: [bucketModel({ name: "archive" })] });
  client = s3Client(s3.endpoint);
});
afterAll(async () => {
  client.destroy();
  await s3.stop();
  await folder.remove();
  await db.remove();
});

class Killed extends Error {}

/** Kills by the name of the call, before it and behind it. */
type Kills = Map<string, { before: number; behind: number }>;

/**
 * The calls of a port. The first one of each name is killed before its work and the second one behind it, when its answer is lost;
 * of the others one in 25, either way.
 */
function killing<Port extends object>(port: Port, random: () => number, kills: Kills): Port {
  return new Proxy(port, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        const killed = kills.get(String(name)) ?? { before: 0, behind: 0 };
        kills.set(String(name), killed);
        const drawn = random();
        const isBefore = killed.before === 0 || drawn < 0.02;
        const isBehind = !isBefore && (killed.behind === 0 || drawn < 0.04);
        if (isBefore) {
          killed.before += 1;
          throw new Killed();
        }
        const result: unknown = await (member as (...all: unknown[]) => unknown).apply(target, args);
        if (isBehind) {
          killed.behind += 1;
          throw new Killed();
        }
        return result;
      };
    },
  });
}

/** Numbers from 0 to 1 that are the same in each run. */
function seeded(seed: string): () => number {
  let count = 0;
  return () =>
    createHash("sha256")
      .update(`${seed} ${(count += 1)}`)
      .digest()
      .readUInt32BE(0) /
    2 ** 32;
}

describe("archive, drop and restore with kills in every step", () => {
  it(
    "every event of a day that was archived, dropped and restored is equal to what it was",
    async () => {
      await db.ask(
        `insert into event_keys (tenant, id, source, received_at, retention)
       select ($2::text[])[1 + n % 3], 'order-' || n, '/shop/' || n % 7, timestamptz '2026-11-21 00:00:00+00' + n * (interval '86000 seconds' / $1), 30
       from generate_series(1, $1) as n`,
        [EVENTS, TENANTS],
      );
      await db.ask(`
      insert into events (tenant, id, source, type, subject, time, received_at, retention, extensions, data)
      select tenant, id, source, 'com.example.order.placed', 'the customer''s', received_at - interval '1 second', received_at, retention,
        case when substr(id, 7)::int % 5 = 0 then jsonb_build_object('rank', 7, 'quote', '"''') end,
        jsonb_build_object('orderId', id, 'total', 12345678901234567890.125 + substr(id, 7)::int, 'note', repeat(md5(id), 10))
      from event_keys order by received_at`);
      await db.ask(
        "create table expected as select tenant, id, source, stored_at, event_json(e) as json from events as e",
      );
      await passHorizon(db);
      const files = createArchiveFiles({ client, bucket: "archive" });
      const random = seeded("archive");
      const archiving: Kills = new Map();
      const restoring: Kills = new Map();
      const started = performance.now();

      const clock = () => new Date();
      const work = createRetentionWork(db.database);
      const archive = createArchiveDay({
        source: killing(createArchiveSource(db.database), random, archiving),
        files: killing(files, random, archiving),
        clock,
        partBytes: Math.max(100_000, EVENTS * 8),
      });
      // The day is over by the clock of the database, which is that of this machine.
      await db.ask("update retention_days set state = 'due' where class = 30 and day = '2026-11-21'");
      let steps = 0;
      for (;;) {
        steps += 1;
        if (steps > 10_000) throw new Error("The retention does not end.");
        const sent: number[] = [];
        const retain = createRetainStep({
          work: killing(work, random, archiving),
          steps: { send: async (seconds) => Boolean(sent.push(seconds)) },
          clock,
          archive,
        });
        const outcome = await retain({ messageId: "m" }, Date.now() + 300_000).catch((error: unknown) => {
          if (error instanceof Killed) return undefined;
          throw error;
        });
        if (outcome?.kind === "done") break;
        // The day waits after a failure of its archive, and the lease of a step that was killed ends.
        await db.ask("update retention_days set retry_at = null");
      }
      const [left] = await db.ask<{ events: number; keys: number; state: string }>(
        `select (select count(*)::int from events) as events, (select count(*)::int from event_keys) as keys,
         (select state from retention_days where class = 30 and day = '2026-11-21') as state`,
      );
      expect(left).toEqual({ events: 0, keys: 0, state: "dropped" });
      const archivedMs = performance.now() - started;

      const jobs = createRestoreJobs(db.database);
      let restored = 0;
      for (const [at, tenant] of TENANTS.entries()) {
        const keys = await allOf(listManifests(files, { tenant }));
        const manifests = await Promise.all(
          keys.map(async (key): Promise<[string, string]> => [key, (await openManifest(files, key)).sha256]),
        );
        const id = `rst_${String(at).repeat(32)}`;
        await jobs.start(
          { id, tenant, into: "live", retention: 0, request: {}, manifests, keyId: "k", planned: 0 },
          soon(),
        );
        const step = createRestoreStep({
          work: killing(createRestoreWork(db.database), random, restoring),
          files: killing(files, random, restoring),
          steps: { send: async () => true },
          whyEnded: async () => undefined,
          clock,
        });
        while ((await jobs.read(tenant, id, soon()))?.state === "running") {
          await step({ restore: id }, { messageId: "m" }, Date.now() + 300_000).catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error;
          });
          // The lease of a step that was killed ends.
          await db.ask("update restores set lease_until = null where id = $1", [id]);
        }
        const receipt = await jobs.read(tenant, id, soon());
        expect(receipt).toMatchObject({ state: "done", present: 0, conflicts: 0, refused: 0 });
        restored += receipt?.restored ?? 0;
      }
      expect(restored).toBe(EVENTS);
      const restoredMs = performance.now() - started - archivedMs;

      const [compared] = await db.ask<{ events: number; keys: number; differences: number }>(`
      select (select count(*)::int from events) as events, (select count(*)::int from event_keys) as keys, (
        select count(*)::int from (
          (table expected except all select tenant, id, source, stored_at, event_json(e) from events as e)
          union all
          (select tenant, id, source, stored_at, event_json(e) from events as e except all table expected)
        ) as differing
      ) as differences`);
      expect(compared).toEqual({ events: EVENTS, keys: EVENTS, differences: 0 });
      for (const [name, { before, behind }] of [...archiving, ...restoring])
        expect(Math.min(before, behind), `kills of ${name}`).toBeGreaterThan(0);
      if (IS_FULL) writeBlock("archive", page({ archiving, restoring, archivedMs, restoredMs }));
    },
    TIMEOUT_MS,
  );
});

type Run = { archiving: Kills; restoring: Kills; archivedMs: number; restoredMs: number };

function page({ archiving, restoring, archivedMs, restoredMs }: Run): string {
  const row = (name: string, kills: Kills, milliseconds: number) => {
    const sum = (at: "before" | "behind") => [...kills.values()].reduce((total, each) => total + each[at], 0);
    return `| ${name} | ${kills.size} | ${sum("before")} | ${sum("behind")} | ${seconds(milliseconds)} |`;
  };
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores: ${EVENTS.toLocaleString("en")} events of ${TENANTS.length} tenants, each equal to what it was.`,
    "",
    "| | Kinds of calls | Killed before a call | Killed behind it | Time |",
    "|---|--:|--:|--:|--:|",
    row("Archived and dropped", archiving, archivedMs),
    row("Restored", restoring, restoredMs),
  ].join("\n");
}
