import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { EXPORT_MAX_PARTS } from "../../../functions/core/export-limits.ts";
import { EXPORT_MAX_RECEIVE_COUNT } from "../../../functions/core/queue-limits.ts";
import { filesOutage, jobSample, Killed, memoryPages, outage, type Place, stepUnderTest } from "./support.ts";

/** Texts that do not compress: the compressor gives nothing away before it has some 64 KB. */
const texts = Array.from({ length: 95 }, (_, at) => JSON.stringify({ id: `event-${at}`, data: noise(at) }));
const eventTexts = (count: number) => texts.slice(0, count);

function noise(seed: number): string {
  const hashes = Array.from({ length: 200 }, (_, at) => createHash("sha512").update(`${seed} ${at}`).digest("base64"));
  return hashes.join("");
}

/** Delivers messages until the job is finished; a killed step's message is delivered again when its lease is over. */
async function finish(under: ReturnType<typeof stepUnderTest>, job = jobSample()): Promise<number> {
  await under.jobs.create(job);
  let killed = 0;
  let deliveries = [{ step: job, receiveCount: 1 }];
  for (let round = 0; deliveries.length > 0; round++) {
    if (round > 1_000) throw new Error("The job does not end.");
    const [next, ...rest] = deliveries;
    deliveries = rest;
    const before = under.sent.length;
    try {
      const outcome = await under.step(next?.step ?? job, {
        messageId: `m-${round}`,
        receiveCount: next?.receiveCount,
      });
      if (outcome.kind === "unsent" || outcome.kind === "busy")
        deliveries.push({ step: job, receiveCount: (next?.receiveCount ?? 0) + 1 });
    } catch (error) {
      if (!(error instanceof Killed || error instanceof AccessError)) throw error;
      killed += 1;
      under.pass(360_000);
      deliveries.push({ step: job, receiveCount: (next?.receiveCount ?? 0) + 1 });
    }
    deliveries.push(...under.sent.slice(before).map(() => ({ step: job, receiveCount: 1 })));
  }
  return killed;
}

describe("the step of an export", () => {
  it("steps write every event once, in its order, in parts of about one size", async () => {
    const events = eventTexts(95);
    const under = stepUnderTest(memoryPages(events));
    const job = jobSample();

    await finish(under, job);

    const done = await under.jobs.read(job.tenant, job.id);
    expect(await under.lines(job)).toEqual(events);
    expect(done).toMatchObject({ state: "done", rows: 95, scanned: 95, horizon: "95" });
    expect(done?.parts.length).toBeGreaterThan(2);
    expect(under.unfinished.size).toBe(0);
  });

  it("the manifest says rows, size and SHA-256 of each part, and what was exported", async () => {
    const under = stepUnderTest(memoryPages(eventTexts(35)));
    const filter = '{"data":{"n":[12345678901234567890]}}';
    const job = jobSample({ filter, from: "2026-11-01T00:00:00Z" });

    await finish(under, job);

    const done = await under.jobs.read(job.tenant, job.id);
    const folder = `exports/acme/${job.id}`;
    const manifest = JSON.parse(String(under.stored.get(`${folder}/${done?.manifest}`)));
    expect(manifest).toMatchObject({ version: 1, tenant: "acme", format: "ndjson", filter, from: job.from, rows: 35 });
    expect(manifest).toMatchObject({ horizon: "35", createdAt: job.createdAt, bytes: done?.bytes });
    const parts = manifest.parts as { name: string; rows: number; bytes: number; sha256: string }[];
    expect(parts.reduce((rows, part) => rows + part.rows, 0)).toBe(35);
    for (const { name, bytes, sha256 } of parts) {
      const file = under.stored.get(`${folder}/${name}`) ?? Buffer.alloc(0);
      expect([file.length, createHash("sha256").update(file).digest("hex")]).toEqual([bytes, sha256]);
    }
  });

  it("an export without events is done, with a manifest and no part", async () => {
    const under = stepUnderTest(memoryPages([]));
    const job = jobSample();

    await finish(under, job);

    expect(await under.jobs.read(job.tenant, job.id)).toMatchObject({ state: "done", rows: 0, parts: [] });
    expect([...under.stored.keys()]).toEqual([expect.stringMatching(/manifest-\d+\.json$/)]);
  });

  it("pages without a match bring the export further, and make no part", async () => {
    const page = { events: [], horizon: "7", scanned: 1_000 };
    const next = [
      { ...page, next: "1" },
      { ...page, next: "2" },
      { ...page, next: undefined },
    ];
    const under = stepUnderTest({ read: async () => next.shift() ?? { ...page, next: undefined } }, { partBytes: 0 });
    const job = jobSample();

    await finish(under, job);

    expect(await under.jobs.read(job.tenant, job.id)).toMatchObject({ state: "done", scanned: 3_000, parts: [] });
  });

  it("a step ends its part in time for its function, and the next one goes on", async () => {
    const under = stepUnderTest(memoryPages(eventTexts(30)), { partBytes: 1e9 });
    const job = jobSample();
    await under.jobs.create(job);

    const outcome = await under.step(job, {}, 1_000);

    expect(outcome).toEqual({ kind: "continued", rows: 10 });
    expect(await under.jobs.read(job.tenant, job.id)).toMatchObject({ state: "running", rows: 10, cursor: "10" });
  });
});

const places: Place[] = ["read", "upload", "completing", "complete", "replace", "replaced", "send", "sent"];

describe("a step that is killed", () => {
  for (const place of places) {
    it(`a step that is killed at ${place}, wherever it is then, costs no line and doubles none`, async () => {
      const events = eventTexts(35);
      let worst = 0;
      for (let nth = 1; nth <= 15; nth++) {
        let count = 0;
        const at = async (reached: Place) => {
          if (reached !== place) return;
          count += 1;
          if (count === nth) throw new Killed();
        };
        const under = stepUnderTest(memoryPages(events), { at });
        worst = Math.max(worst, await finish(under));

        expect(await under.lines(jobSample()), `${place} ${nth}`).toEqual(events);
        expect(await under.jobs.read("acme", jobSample().id)).toMatchObject({ state: "done", rows: 35 });
      }
      expect(worst).toBe(1);
    });
  }

  it("a step that was believed dead changes nothing that the job counts", async () => {
    const events = eventTexts(40);
    let hold: PromiseWithResolvers<void> | undefined = Promise.withResolvers();
    const held = hold;
    const under = stepUnderTest(memoryPages(events), {
      partBytes: 300_000,
      at: async (place) => {
        if (place !== "completing" || hold === undefined) return;
        hold = undefined;
        await held.promise;
      },
    });
    const job = jobSample();
    await under.jobs.create(job);
    // It has time for one page only, so its file is another one.
    const late = under.step(job, { messageId: "m-late" }, 1_000);
    await expect.poll(() => hold).toBeUndefined();

    under.pass(360_000);
    await under.step(job, { messageId: "m-next" });
    const counted = await under.lines(job);
    held.resolve();

    expect(await late).toEqual({ kind: "superseded" });
    expect(await under.lines(job)).toEqual(counted);
    expect(under.sent).toHaveLength(1);
  });

  it("a step whose messages end it each time fails the export before they become dead letters", async () => {
    const under = stepUnderTest(memoryPages(eventTexts(5)), {
      at: async (place) => {
        if (place === "read") throw new Killed();
      },
    });
    const job = jobSample();
    await under.jobs.create(job);
    for (let receiveCount = 1; receiveCount < EXPORT_MAX_RECEIVE_COUNT; receiveCount++) {
      await expect(under.step(job, { receiveCount })).rejects.toThrow(Killed);
      under.pass(360_000);
    }

    expect(await under.step(job, { receiveCount: EXPORT_MAX_RECEIVE_COUNT })).toEqual({
      kind: "failed",
      reason: "crashed",
    });
    expect(await under.jobs.read(job.tenant, job.id)).toMatchObject({ state: "failed", reason: "crashed" });
  });
});

describe("messages of a step", () => {
  it("a message that is delivered twice at once stays, because it is the message of the step at work", async () => {
    const under = stepUnderTest(memoryPages(eventTexts(5)));
    const job = jobSample({ state: "running", leaseUntil: "2026-11-29T10:01:00.000Z", leaseBy: "m-1" });
    await under.jobs.create(job);

    expect(await under.step(job, { messageId: "m-1" })).toEqual({ kind: "busy" });
    expect(await under.step(job, { messageId: "m-2" })).toEqual({ kind: "superseded" });
    expect(await under.jobs.read(job.tenant, job.id)).toEqual(job);
  });

  it("a message without a job, or of a finished one, is dropped", async () => {
    const under = stepUnderTest(memoryPages(eventTexts(5)));
    const job = jobSample({ state: "cancelled" });

    expect(await under.step(job)).toEqual({ kind: "absent" });
    await under.jobs.create(job);
    expect(await under.step(job)).toEqual({ kind: "over" });
    expect(under.stored.size).toBe(0);
  });

  it("a message stays in the queue where the one of the next step is not confirmed, and goes on from there", async () => {
    const events = eventTexts(30);
    const under = stepUnderTest(memoryPages(events));
    const job = jobSample();
    await under.jobs.create(job);
    under.world.confirms = false;
    expect(await under.step(job)).toEqual({ kind: "unsent" });
    under.world.confirms = true;

    expect(await under.step(job, { receiveCount: 2 })).toMatchObject({ kind: "continued" });
    expect((await under.lines(job)).length).toBeGreaterThan(10);
  });
});

describe("failures of a step", () => {
  it.each([
    ["the database is down", "read", outage],
    ["S3 does not answer", "upload", filesOutage],
  ] as const)("the step is tried again later each time while %s", async (_, failing, error) => {
    const under = stepUnderTest(memoryPages(eventTexts(30)), {
      at: async (place) => {
        if (place === failing) throw error();
      },
    });
    const job = jobSample();
    await under.jobs.create(job);
    for (let attempt = 0; attempt < 8; attempt++) expect(await under.step(job)).toMatchObject({ kind: "retried" });

    expect(under.sent.map(({ seconds }) => seconds)).toEqual([10, 20, 40, 80, 160, 320, 600, 600]);
    expect(under.unfinished.size).toBe(0);
  });

  it("an export goes on after a write of its job whose answer was lost, wherever that was", async () => {
    const events = eventTexts(35);
    for (let nth = 1; nth <= 6; nth++) {
      let count = 0;
      const under = stepUnderTest(memoryPages(events), {
        at: async (place) => {
          if (place !== "replaced") return;
          count += 1;
          if (count === nth) throw new AccessError("DynamoDB did not answer a call: TimeoutError.");
        },
      });
      await finish(under);

      expect(await under.lines(jobSample()), String(nth)).toEqual(events);
      expect(await under.jobs.read("acme", jobSample().id)).toMatchObject({ state: "done", rows: 35 });
    }
  });

  it("an export that comes no further for a day fails, and says so", async () => {
    const under = stepUnderTest({
      read: async () => {
        throw outage();
      },
    });
    const job = jobSample();
    await under.jobs.create(job);
    await under.step(job);
    under.pass(24 * 3_600_000 + 1);

    expect(await under.step(job)).toEqual({ kind: "failed", reason: "no_progress" });
    expect(await under.jobs.read(job.tenant, job.id)).toMatchObject({ state: "failed", detail: expect.any(String) });
  });

  it("an export whose query the database refuses fails at once", async () => {
    const under = stepUnderTest({
      read: async () => {
        throw new DatabaseError({ disposition: "dead-letter", reason: "not_storable", detail: "a secret text" });
      },
    });
    const job = jobSample();
    await under.jobs.create(job);

    expect(await under.step(job)).toEqual({ kind: "failed", reason: "refused" });
    expect(JSON.stringify(await under.jobs.read(job.tenant, job.id))).not.toContain("a secret text");
  });

  it("a fault of the code ends the invocation, and leaves the job to the next delivery", async () => {
    const under = stepUnderTest({
      read: async () => {
        throw new TypeError("undefined is not a function");
      },
    });
    const job = jobSample();
    await under.jobs.create(job);

    await expect(under.step(job)).rejects.toThrow(TypeError);
    expect(await under.jobs.read(job.tenant, job.id)).toMatchObject({ state: "running", parts: [] });
  });

  it("an export of too many parts fails, and says what to do", async () => {
    const under = stepUnderTest(memoryPages(eventTexts(5)));
    const part = { name: "part", rows: 1, bytes: 1, sha256: "" };
    const job = jobSample({ parts: Array.from({ length: EXPORT_MAX_PARTS }, () => part) });
    await under.jobs.create(job);

    expect(await under.step(job)).toEqual({ kind: "failed", reason: "too_large" });
  });
});

describe("the key of a running export", () => {
  it.each([
    ["key_ended", "is revoked", { key: { revokedAt: "2026-11-29T09:00:00.000Z" } }],
    ["key_ended", "is expired", { key: { expiresAt: "2026-11-29T09:00:00.000Z" } }],
    ["key_ended", "is deleted", { key: undefined }],
    ["key_ended", "lost its scope", { key: { role: "producer" } }],
    ["tenant_ended", "belongs to a suspended tenant", { tenant: { state: "suspended" } }],
    ["tenant_ended", "belongs to a tenant that does not exist", { tenant: undefined }],
  ] as const)("an export fails with %s when the key that started it %s", async (reason, _, changes) => {
    const under = stepUnderTest(memoryPages(eventTexts(95)));
    const job = jobSample();
    await under.jobs.create(job);
    expect(await under.step(job)).toMatchObject({ kind: "continued" });
    const { length } = await under.lines(job);

    for (const [name, change] of Object.entries(changes) as ["key" | "tenant", object | undefined][]) {
      Object.assign(under.access, { [name]: change && { ...under.access[name], ...change } });
    }

    expect(await under.step(job)).toEqual({ kind: "failed", reason });
    expect(await under.lines(job)).toHaveLength(length);
    expect(under.sent).toHaveLength(1);
  });

  it("an export goes on when the key's end is in the future", async () => {
    const under = stepUnderTest(memoryPages(eventTexts(95)));
    const job = jobSample();
    await under.jobs.create(job);
    Object.assign(under.access.key ?? {}, { revokedAt: "2026-11-29T11:00:00.000Z" });

    expect(await under.step(job)).toMatchObject({ kind: "continued" });
  });
});

describe("an export that is cancelled", () => {
  it("a step whose export is cancelled meanwhile counts nothing and sends no message", async () => {
    const job = jobSample();
    const under = stepUnderTest(memoryPages(eventTexts(95)), {
      at: async (place) => {
        if (place !== "complete") return;
        const present = await under.jobs.read(job.tenant, job.id);
        if (present !== undefined) await under.jobs.replace({ ...present, state: "cancelled" });
      },
    });
    await under.jobs.create(job);

    expect(await under.step(job)).toEqual({ kind: "superseded" });
    expect(await under.jobs.read(job.tenant, job.id)).toMatchObject({ state: "cancelled", parts: [] });
    expect(under.sent).toEqual([]);
  });
});
