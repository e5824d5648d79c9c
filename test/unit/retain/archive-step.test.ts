import { describe, expect, it } from "vitest";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { FilesError } from "../../../functions/core/export-job.ts";
import { findManifest, listManifests, readPart } from "../../../functions/core/read-archive.ts";
import { type ArchiveDeps, createArchiveStep } from "../../../functions/retain/archive-step.ts";
import { lineOf, memoryArchive, type MemoryDay, memorySource } from "./archive-support.ts";
import { allOf } from "../../support/all-of.ts";

const DAY = { retention: 30, day: "2026-11-01", isDetached: false };

const rowsOf = (tenant: string, count: number, number = 10) =>
  Array.from({ length: count }, (_, at) => ({ tenant, id: String(at).padStart(4, "0"), number }));

const someDay = (): MemoryDay => ({
  rows: [...rowsOf("acme", 25), ...rowsOf("beta", 1), ...rowsOf("corp", 9)],
  horizon: 100,
});

class Killed extends Error {}

function underTest(day: MemoryDay, changes: Partial<ArchiveDeps> = {}) {
  const { files, stored } = memoryArchive();
  const memory = memorySource(day);
  const deps = { source: memory.source, files, clock: () => new Date(0), partBytes: 1_000, ...changes };
  const run = (of = DAY) => createArchiveStep(deps)(of, { stopAt: 1, deadline: 1 });
  return { ...memory, files, stored, deps, run };
}

async function linesOf(files: ReturnType<typeof memoryArchive>["files"]): Promise<string[]> {
  const lines: string[] = [];
  for await (const key of listManifests(files)) {
    const manifest = await findManifest(files, key);
    for (const part of manifest.parts) lines.push(...(await readPart(files, manifest, part)));
  }
  return lines;
}

const wanted = (day: MemoryDay) => day.rows.map(({ tenant, id }) => lineOf(id, { tenant }));

describe("the archive of a day", () => {
  it("every event of a day is in the parts of its tenant once, in their order", async () => {
    const day = someDay();
    const under = underTest(day);

    expect(await under.run()).toEqual({ kind: "archived" });

    expect(await linesOf(under.files)).toEqual(wanted(day));
    expect(await allOf(listManifests(under.files))).toEqual([
      "archive/30d/2026-11-01/acme/1/_manifest.json",
      "archive/30d/2026-11-01/beta/1/_manifest.json",
      "archive/30d/2026-11-01/corp/1/_manifest.json",
    ]);
    const acme = await findManifest(under.files, "archive/30d/2026-11-01/acme/1/_manifest.json");
    expect(acme).toMatchObject({ rows: 25, horizon: "100", first: "10", last: "10" });
    expect(acme.parts.length).toBeGreaterThan(3);
    expect(under.manifests.map(({ tenant, rows }) => [tenant, rows])).toEqual([
      ["acme", 25],
      ["beta", 1],
      ["corp", 9],
    ]);
  });

  it("a day without events has no archive", async () => {
    const under = underTest({ rows: [], horizon: 100 });

    expect([await under.run(), under.stored.size]).toEqual([{ kind: "archived" }, 0]);
  });

  it("a step that is killed at any call is continued by the next, and the files are those of one that was not killed", async () => {
    const day = someDay();
    const whole = underTest(day);
    await whole.run();

    let calls = 0;
    let killAt = Infinity;
    const counted =
      <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
      async (...args: Args) => {
        calls += 1;
        if (calls === killAt) throw new Killed();
        const result = await call(...args);
        calls += 1;
        if (calls === killAt) throw new Killed();
        return result;
      };
    const total = await (async () => {
      const under = underTest(day);
      const killable = killing(under, counted);
      await createArchiveStep(killable)(DAY, { stopAt: 1, deadline: 1 });
      return calls;
    })();
    expect(total).toBeGreaterThan(100);

    for (let at = 1; at <= total; at += 1) {
      const under = underTest(day);
      const step = createArchiveStep(killing(under, counted));
      calls = 0;
      killAt = at;
      await expect(step(DAY, { stopAt: 1, deadline: 1 })).rejects.toThrow(Killed);
      killAt = Infinity;

      expect(await step(DAY, { stopAt: 1, deadline: 1 })).toEqual({ kind: "archived" });
      expect(under.stored).toEqual(whole.stored);
    }
  });

  it("a step whose time is over says so, and the next one goes on behind its last part", async () => {
    const day = someDay();
    let now = 0;
    const under = underTest(day, { clock: () => new Date(now++) });
    const step = () => createArchiveStep(under.deps)(DAY, { stopAt: now + 3, deadline: 0 });

    const outcomes = [await step()];
    while (outcomes.at(-1)?.kind === "unfinished") outcomes.push(await step());

    expect(outcomes.length).toBeGreaterThan(3);
    expect(outcomes.at(-1)).toEqual({ kind: "archived" });
    expect(await linesOf(under.files)).toEqual(wanted(day));
  });

  it("events that were stored behind the horizon are in a generation of their own, and those below it are not in it again", async () => {
    const day = someDay();
    const under = underTest(day);
    await under.run();
    const late = [...rowsOf("acme", 1, 150), { tenant: "late", id: "9", number: 160 }].map((row) => ({
      ...row,
      id: `late-${row.id}`,
    }));
    day.rows.push(...late);

    expect(await under.run()).toEqual({ kind: "archived" });
    expect(under.jobs).toHaveLength(1);
    expect(await under.run({ ...DAY, isDetached: true })).toEqual({ kind: "archived" });

    const found = await linesOf(under.files);
    expect(found.toSorted()).toEqual(wanted(day).toSorted());
    expect(await findManifest(under.files, "archive/30d/2026-11-01/acme/2/_manifest.json")).toMatchObject({
      rows: 1,
      first: "150",
    });
  });

  it("of two steps at once one ends the archive, and the other says that it was overtaken or finds it ended", async () => {
    const day = someDay();
    const under = underTest(day);

    const outcomes = await Promise.all([under.run(), under.run()]);

    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(["archived", "superseded"]);
    expect(await linesOf(under.files)).toEqual(wanted(day));
  });

  it("a part that does not come back as it was written is not counted, and the file is named", async () => {
    const under = underTest(someDay());
    const get = under.files.get;
    let reads = 0;
    under.files.get = async (key) => {
      const bytes = await get(key);
      reads += 1;
      return reads === 2 && bytes !== undefined ? Buffer.concat([bytes, Buffer.from("x")]) : bytes;
    };

    await expect(under.run()).rejects.toThrow("archive/30d/2026-11-01/acme/1/part-00002.ndjson.gz was changed");
    expect(under.jobs[0]?.job).toMatchObject({ parts: 1, rows: 6 });
    under.files.get = get;
    expect(await under.run()).toEqual({ kind: "archived" });
  });

  it("a manifest that does not come back leaves the day unarchived", async () => {
    const under = underTest(someDay());
    const { get, put } = under.files;
    under.files.put = async (key, bytes, type) => {
      if (!key.endsWith("_manifest.json")) await put(key, bytes, type);
    };

    await expect(under.run()).rejects.toThrow("archive/30d/2026-11-01/acme/1/_manifest.json does not come back");
    expect([under.manifests, under.jobs[0]?.isFinished]).toEqual([[], false]);
    under.files.put = put;
    expect([await under.run(), get]).toEqual([{ kind: "archived" }, get]);
  });

  it("outages of the database and of the files end the step and lose nothing", async () => {
    const day = someDay();
    const under = underTest(day);
    const { put } = under.files;
    under.files.put = async () => Promise.reject(new FilesError("S3 is down"));
    await expect(under.run()).rejects.toThrow(FilesError);
    under.files.put = put;
    const { readPage } = under.source;
    const outage = new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "it is down" });
    under.source.readPage = async () => Promise.reject(outage);
    await expect(under.run()).rejects.toThrow(DatabaseError);
    under.source.readPage = readPage;

    expect(await under.run()).toEqual({ kind: "archived" });
    expect(await linesOf(under.files)).toEqual(wanted(day));
  });

  it("a tenant whose events were all erased since its last part gets the manifest of what it has", async () => {
    const day = someDay();
    let now = 0;
    const under = underTest(day, { clock: () => new Date(now++) });
    await createArchiveStep(under.deps)(DAY, { stopAt: 1, deadline: 0 });
    day.rows = day.rows.filter(({ tenant, id }) => tenant !== "acme" || id < "0006");

    expect(await createArchiveStep(under.deps)(DAY, { stopAt: Infinity, deadline: 0 })).toEqual({ kind: "archived" });
    expect(await linesOf(under.files)).toEqual(wanted(day));
  });
});

type Counted = <Args extends unknown[], Result>(
  call: (...args: Args) => Promise<Result>,
) => (...args: Args) => Promise<Result>;

/** The same with every call of it counted, before it and behind it. */
function killing(under: ReturnType<typeof underTest>, counted: Counted): ArchiveDeps {
  const { source, files } = under;
  return {
    ...under.deps,
    source: {
      open: counted(source.open),
      readPage: counted(source.readPage),
      countPart: counted(source.countPart),
      readParts: counted(source.readParts),
      finishTenant: counted(source.finishTenant),
      finish: counted(source.finish),
    },
    files: { put: counted(files.put), get: counted(files.get) },
  };
}
