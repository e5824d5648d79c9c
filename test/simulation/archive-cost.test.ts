import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createArchiveSource } from "../../functions/adapters/data-api/archive-source.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { createArchiveStep } from "../../functions/retain/archive-step.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { passHorizon } from "../support/settle.ts";
import { memoryArchive } from "../unit/retain/archive-support.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
  await db.ask(`select ensure_waiting_days('[{"class":30,"day":"2026-11-21"}]')`);
});
afterAll(() => db.remove());

/** us-east-1; bench/cost/prices.ts has the sources. */
const DOLLARS = { dataApiUnit: 0.35e-6, put: 5e-6, get: 0.4e-6 };
const UNIT_BYTES = 32 * 1_024;
const MOST_DOLLARS_PER_GB = 0.012;

/** Counts calls in units of 32 KiB of request and answer, which have the JSON that the Data API has. */
function counting(database: SqlDatabase) {
  const counted = { calls: 0, units: 0 };
  const execute: SqlDatabase["execute"] = async (sql, parameters, deadline) => {
    const answer = await database.execute(sql, parameters, deadline);
    const request = {
      resourceArn: "arn:aws:rds:eu-west-1:000000000000:cluster:sluice",
      secretArn: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:sluice",
      database: "events",
      sql,
      parameters: Object.entries(parameters).map(([name, value]) => ({ name, value: { stringValue: value } })),
    };
    const records = answer.rows.map((row) => row.map((value) => ({ stringValue: value })));
    const bytes = [request, { numberOfRecordsUpdated: 0, records }].map((body) =>
      Buffer.byteLength(JSON.stringify(body)),
    );
    counted.calls += 1;
    counted.units += Math.ceil(bytes.reduce((sum, each) => sum + each) / UNIT_BYTES);
    return answer;
  };
  return { counted, execute };
}

describe("the cost of an archive", () => {
  it("a gigabyte of events is archived for 0.012 dollars at most, counted in units of the Data API and calls of S3", async () => {
    // Events of some 1 KiB, with the numbers, names and quotes of real ones.
    await db.ask(`
      insert into events (tenant, id, source, type, subject, time, received_at, retention, data)
      select 'acme', 'order-' || n, '/shop/checkout', 'com.example.order.placed', 'customer-' || n % 1000, now(),
        timestamptz '2026-11-21 00:00:00+00' + n * interval '2 seconds', 30,
        jsonb_build_object('orderId', 'order-' || n, 'total', n * 1.25, 'currency', 'EUR', 'note', repeat(md5(n::text), 12),
          'items', (select jsonb_agg(jsonb_build_object('sku', 'sku-' || k, 'name', 'The customer''s "favourite"', 'count', k)) from generate_series(1, 5) as k))
      from generate_series(1, 36000) as n`);
    await passHorizon(db);
    const { files } = memoryArchive();
    const calls = { put: 0, get: 0 };
    const { counted, execute } = counting(db.database);
    const step = createArchiveStep({
      source: createArchiveSource({ execute }),
      files: {
        put: (...args) => ((calls.put += 1), files.put(...args)),
        get: (key) => ((calls.get += 1), files.get(key)),
      },
      clock: () => new Date(),
    });

    await step(
      { retention: 30, day: "2026-11-21", isDetached: false },
      { stopAt: Infinity, deadline: soon() + 60_000 },
    );

    const [archived] = await db.ask<{ rows: number; bytes: number; packed: number }>(
      "select rows::float as rows, text_bytes::float as bytes, bytes::float as packed from archives",
    );
    const bytes = archived?.bytes ?? 0;
    const dollars = counted.units * DOLLARS.dataApiUnit + calls.put * DOLLARS.put + calls.get * DOLLARS.get;
    const perGigabyte = dollars / (bytes / 1e9);
    expect(archived?.rows).toBe(36_000);
    expect(bytes).toBeGreaterThan(30_000_000);
    expect(perGigabyte).toBeLessThanOrEqual(MOST_DOLLARS_PER_GB);
    console.info(
      `${counted.calls} calls, ${counted.units} units, ${calls.put} puts, ${calls.get} gets for ${bytes} bytes of text: ${perGigabyte.toFixed(5)} dollars a GB`,
    );
  });
});
