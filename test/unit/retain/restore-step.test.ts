import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import { FilesError } from "../../../functions/core/export-job.ts";
import { openManifest } from "../../../functions/core/read-archive.ts";
import { lineOf, memoryArchive, PLACE, writeArchive } from "./archive-support.ts";
import { Killed, outage, RESTORE, restoreUnderTest } from "./restore-support.ts";

const PARTS = [
  [lineOf("1"), lineOf("2", { data: { n: 5 } }), lineOf("3")],
  [lineOf("4", { data: { n: 12345678901234567890n.toString() } }), lineOf("5")],
];

async function archive(parts = PARTS) {
  const { files, stored } = memoryArchive();
  const keys = [
    await writeArchive(files, parts),
    await writeArchive(files, [[lineOf("6")]], { ...PLACE, day: "2026-11-02" }),
  ];
  const manifests = await Promise.all(
    keys.map(async (key): Promise<[string, string]> => [key, (await openManifest(files, key)).sha256]),
  );
  return { files, stored, manifests };
}

const ALL = [...PARTS.flat(), lineOf("6")];

describe("the step of a restore", () => {
  it("every event of the manifests is stored once, in their order, after the tables of its day are there", async () => {
    const { files, manifests } = await archive();
    const under = restoreUnderTest(files, { job: { manifests } });

    expect(await under.step()).toEqual({ kind: "ended", state: "done", reason: undefined, read: 6, restored: 6 });

    expect([...under.live]).toEqual(ALL);
    expect([...new Set(under.days)]).toEqual(["0 2026-11-01", "0 2026-11-02"]);
    expect(under.job()).toMatchObject({ matched: 6, present: 0, manifestAt: 2 });
  });

  it("a step that is killed at any place is continued by the next, and each event is counted once", async () => {
    const { files, manifests } = await archive();
    const places: string[] = [];
    await restoreUnderTest(files, { job: { manifests }, at: (place) => void places.push(place) }).step();
    expect(places.filter((place) => place === "stored")).toHaveLength(3);

    for (let kill = 0; kill < places.length; kill += 1) {
      let at = 0;
      const under = restoreUnderTest(files, {
        job: { manifests },
        at: () => {
          if (at++ === kill) throw new Killed();
        },
      });

      await expect(under.step()).rejects.toThrow(Killed);
      under.expireLease();
      await under.step(undefined, "m-2");

      expect([...under.live]).toEqual(ALL);
      expect(under.job()).toMatchObject({ state: "done", read: 6, matched: 6, restored: 6, present: 0 });
    }
  });

  it("a filter takes the events that match, and the others are counted as read", async () => {
    const { files, manifests } = await archive();
    const request = { filter: '{"data":{"n":[5]}}' };
    const under = restoreUnderTest(files, { job: { manifests, request } });

    await under.step();

    expect([...under.live]).toEqual([lineOf("2", { data: { n: 5 } })]);
    expect(under.job()).toMatchObject({ state: "done", read: 6, matched: 1, restored: 1 });
  });

  it("a part that was changed ends the job before any of its events is stored, and the file is named", async () => {
    const { files, stored, manifests } = await archive();
    const name = "archive/30d/2026-11-01/acme/1/part-00002.ndjson.gz";
    const bytes = Uint8Array.from(stored.get(name) ?? []);
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
    stored.set(name, bytes);
    const under = restoreUnderTest(files, { job: { manifests } });

    expect(await under.step()).toMatchObject({
      kind: "ended",
      state: "failed",
      reason: "archive_changed",
      restored: 3,
    });

    expect(under.job().detail).toContain(`${name} was changed`);
    expect([...under.live]).toEqual(PARTS[0]);
  });

  it("a manifest that is another one than at the start ends the job, though it is valid, and the file is named", async () => {
    const { files, manifests } = await archive();
    await writeArchive(files, [[lineOf("forged")]]);
    const under = restoreUnderTest(files, { job: { manifests } });

    expect(await under.step()).toMatchObject({
      kind: "ended",
      state: "failed",
      reason: "archive_changed",
      restored: 0,
    });

    expect(under.job().detail).toContain(`${manifests[0]?.[0]} was changed`);
    expect(under.live.size).toBe(0);
  });

  it("an event that the database refuses is counted and named, and its neighbours are stored", async () => {
    const parts = [[lineOf("1"), lineOf("bad"), lineOf("3"), lineOf("4")]];
    const { files, manifests } = await archive(parts);
    const under = restoreUnderTest(files, { job: { manifests } });

    await under.step();

    expect([...under.live].map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(["1", "3", "4", "6"]);
    expect(under.job()).toMatchObject({ state: "done", read: 5, matched: 5, restored: 4, refused: 1 });
    expect(under.job().detail).toContain("Line 2 of archive/30d/2026-11-01/acme/1/part-00001.ndjson.gz: not_storable");
  });

  it("a job that somebody asked to end stores no more, and what is there stays", async () => {
    const { files, manifests } = await archive();
    const under = restoreUnderTest(files, {
      job: { manifests },
      at: (place) => {
        if (place === "stored") under.change({ isCancelling: true });
      },
    });

    expect(await under.step()).toMatchObject({ kind: "ended", state: "cancelled", restored: 3 });
    expect([...under.live]).toEqual(PARTS[0]);
  });

  it("a step whose time is over gives the job to the next one, which goes on in the part", async () => {
    const { files, manifests } = await archive([Array.from({ length: 4_500 }, (_, at) => lineOf(`e${at}`))]);
    const under = restoreUnderTest(files, {
      job: { manifests },
      at: (place) => {
        if (place === "stored") under.clock.now += 31_000;
      },
    });

    const outcomes: string[] = [];
    for (let round = 0; round < 10 && under.job().state === "running"; round += 1) {
      outcomes.push((await under.step(undefined, `m-${round}`)).kind);
    }

    expect(outcomes.slice(0, 3)).toEqual(["continued", "continued", "continued"]);
    expect(under.job()).toMatchObject({ state: "done", read: 4_501, restored: 4_501, present: 0 });
    expect(under.sent[0]).toEqual({ restore: RESTORE });
  });

  it("a failure of a service is waited out, later each time, and the job is given back", async () => {
    const { files, manifests } = await archive();
    for (const error of [outage(), new FilesError("S3 is down"), new AccessError("the table is down")]) {
      let isDown = true;
      const under = restoreUnderTest(files, {
        job: { manifests },
        at: (place) => {
          if (place === "store" && isDown) throw error;
        },
      });

      expect(await under.step({ restore: RESTORE, attempts: 3 })).toEqual({ kind: "retried", reason: error.message });
      expect(under.sent).toEqual([{ restore: RESTORE, attempts: 4 }]);
      isDown = false;
      expect(await under.step(undefined, "m-2")).toMatchObject({ state: "done", restored: 6 });
    }
  });

  it("another step's job is left alone, an ended one is over, and one that is never written is dropped after some attempts", async () => {
    const { files, manifests } = await archive();
    const under = restoreUnderTest(files, { job: { manifests } });
    await under.work.hold(RESTORE, "other", 60, 0);

    expect(await under.step()).toEqual({ kind: "postponed" });
    under.expireLease();
    await under.step();
    expect(await under.step()).toEqual({ kind: "over" });
    expect(await under.step({ restore: "rst_none" })).toMatchObject({ kind: "retried" });
    expect(await under.step({ restore: "rst_none", attempts: 4 })).toEqual({ kind: "absent" });
  });

  it("a restore ends when the key that started it has ended, before it stores more", async () => {
    const { files, manifests } = await archive();
    const under = restoreUnderTest(files, { job: { manifests } });
    under.access.key = undefined;

    expect(await under.step()).toMatchObject({ kind: "ended", state: "failed", reason: "key_ended", restored: 0 });
    expect(under.live.size).toBe(0);
  });
});
