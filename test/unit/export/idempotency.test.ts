import { describe, expect, it } from "vitest";
import type { schemas } from "../../../functions/core/answer.ts";
import { RequestError } from "../../../functions/core/errors.ts";
import { EXPORT_MAX_UNFINISHED } from "../../../functions/core/export-limits.ts";
import { createExportEndpoints } from "../../../functions/export/endpoints.ts";
import { createExport } from "../../../functions/export/export.ts";
import { memoryAuditLog } from "../access/support.ts";
import { adminOf } from "../../support/principal.ts";
import { memoryFiles, memoryJobs, NOW } from "./support.ts";

const HOUR_MS = 3_600_000;

/** The endpoint over stores in memory. */
function underTest() {
  const jobs = memoryJobs();
  const world = { confirms: true, now: Date.parse(NOW) };
  const clock = () => new Date(world.now);
  let made = 0;
  const exports = createExport({
    jobs,
    pages: { plan: async () => ({ rows: 1, relation: "exact", sample: [] }) },
    audit: memoryAuditLog().log,
    steps: { send: async () => world.confirms },
    clock,
    newId: () => `exp_${String((made += 1)).padStart(32, "0")}`,
  });
  const { startExport } = createExportEndpoints({ exports, files: memoryFiles().files, clock });
  const start = async (
    body: object,
    key?: string,
    { keyId = "keyOfExport0", repeatedHeaders = [] as string[] } = {},
  ) => {
    const headers = { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) };
    const answer = await startExport({
      method: "POST",
      path: "/exports",
      headers,
      repeatedHeaders,
      parameters: {},
      query: {},
      inflated: false,
      principal: adminOf("acme", { keyId }),
      body: Buffer.from(JSON.stringify(body)),
      requestId: "r-1",
      deadline: world.now + 20_000,
    });
    return { status: answer.status, id: (JSON.parse(answer.body) as ReturnType<typeof schemas.Export.parse>).id };
  };
  const codeOf = (...given: Parameters<typeof start>) =>
    start(...given).then(
      () => "no error",
      (error: unknown) => (error instanceof RequestError ? error.code : String(error)),
    );
  const count = async () => (await jobs.list("acme", { after: undefined, limit: 100 })).items.length;
  return { start, codeOf, count, world };
}

describe("POST /exports with an idempotency key", () => {
  it("the same key with the same body answers the export that it has started", async () => {
    const { start, count } = underTest();

    const first = await start({ from: NOW }, "a");

    expect(await start({ from: NOW }, "a")).toEqual({ ...first, status: 202 });
    expect(await start({ format: "ndjson", from: NOW }, '"a"')).toEqual(first);
    expect(await count()).toBe(1);
  });

  it("requests without a key, and with different ones, start an export each", async () => {
    const { start, count } = underTest();

    const answers = [await start({}), await start({}), await start({}, "a"), await start({}, "b")];

    expect(new Set(answers.map(({ id }) => id)).size).toBe(4);
    expect(await count()).toBe(4);
  });

  it.each([
    ["filter", { filter: { exact: { type: "b" } } }],
    ["beginning", { from: "2026-11-01T00:00:00Z" }],
    ["end", { to: "2026-11-01T00:00:00Z" }],
    ["format", { format: "csv" }],
    ["selection", { select: ["id"] }],
  ])("the same key with another %s is refused, and the export goes on", async (_what, other) => {
    const { start, codeOf, count } = underTest();
    const first = await start({}, "a");

    expect(await codeOf(other, "a")).toBe("idempotency_key_reused");

    expect(await start({}, "a")).toEqual(first);
    expect(await count()).toBe(1);
  });

  it("requests with one key at once start one export", async () => {
    const { start, count } = underTest();

    const answers = await Promise.all(Array.from({ length: 10 }, () => start({}, "a")));

    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await count()).toBe(1);
  });

  it("a start that failed goes on with the same key", async () => {
    const { start, codeOf, count, world } = underTest();
    world.confirms = false;
    expect(await codeOf({}, "a")).toBe("queue_unavailable");
    world.confirms = true;

    await start({}, "a");

    expect(await count()).toBe(1);
  });

  it("a tenant with as many exports as it may have is answered those that it has started", async () => {
    const { start, codeOf } = underTest();
    const first = await start({}, "a");
    for (let others = 1; others < EXPORT_MAX_UNFINISHED; others++) await start({});

    expect(await codeOf({}, "b")).toBe("too_many_exports");
    expect(await start({}, "a")).toEqual(first);
  });

  it("a key of another caller is another key, and so is one after 24 hours", async () => {
    const { start, world } = underTest();
    const first = await start({}, "a");
    const other = await start({}, "a", { keyId: "keyOfExport1" });
    world.now += 24 * HOUR_MS - 1;
    const late = await start({}, "a");
    world.now += 1;
    const next = await start({}, "a");

    expect(late).toEqual(first);
    expect(new Set([first.id, other.id, next.id]).size).toBe(3);
  });

  it("a plan starts nothing under its key", async () => {
    const { start, codeOf, count } = underTest();

    await start({ plan: true }, "a");

    expect(await count()).toBe(0);
    expect(await codeOf({ format: "csv" }, "a")).toBe("no error");
  });

  it.each([
    ["empty", ""],
    ["an empty string", '""'],
    ["of two words", "a b"],
    ["not ASCII", "ü"],
    ["too long", "a".repeat(256)],
  ])("a key that is %s is refused", async (_what, key) => {
    expect(await underTest().codeOf({}, key)).toBe("bad_header");
  });

  it("a key of 255 characters is taken, and two headers are not", async () => {
    const { codeOf } = underTest();

    expect(await codeOf({}, "a".repeat(255))).toBe("no error");
    expect(await codeOf({}, "a,b", { repeatedHeaders: ["idempotency-key"] })).toBe("bad_header");
  });
});
