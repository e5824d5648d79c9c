import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { archiveKey, placeInOrder, rewrittenName } from "../../../functions/core/archive-keys.ts";
import type { ArchivePart } from "../../../functions/core/archive-manifest.ts";
import { findManifest, listManifests, openManifest, readPart } from "../../../functions/core/read-archive.ts";
import { type ArchiveCursor, createEraseArchive, moveRestore } from "../../../functions/retain/erase-archive.ts";
import { verify } from "../../../scripts/archive/verify.ts";
import { lineOf, memoryArchive, PLACE, writeArchive } from "./archive-support.ts";
import { ERASURE, Killed, killAt, matchIds, memoryRewrites, textsOf } from "./erase-support.ts";

const SCOPE = { erasureId: ERASURE, tenant: "acme" };
const PARTS = [
  ["a1", "a2", "a3"],
  ["b1", "b2"],
  ["c1", "c2"],
];
const LATER = { ...PLACE, day: "2026-11-03", retention: "90d" };

/** An archive of two days, and one of another tenant. */
async function written() {
  const memory = memoryArchive();
  const database = memoryRewrites();
  const linesOf = (ids: string[]) => ids.map((id) => lineOf(id, { data: { of: `mark-${id}` } }));
  const keys = [
    await writeArchive(memory.files, PARTS.map(linesOf)),
    await writeArchive(memory.files, [linesOf(["d1", "d2"])], LATER),
  ];
  await writeArchive(memory.files, [linesOf(["a1"])], { ...PLACE, tenant: "other" });
  for (const key of keys) database.known.set(key, (await openManifest(memory.files, key)).sha256);
  return { ...memory, ...database, keys };
}

type Written = Awaited<ReturnType<typeof written>>;

/** Erases to the end, in pages that begin nothing behind `stopAt`; returns the parts that were rewritten and the pages. */
async function erase(
  { files, rewrites }: Pick<Written, "files" | "rewrites">,
  ids: string[],
  { stopAt = Infinity, from }: { stopAt?: number; from?: ArchiveCursor | undefined } = {},
) {
  const { erase: run } = createEraseArchive({ files, rewrites });
  let cursor = from;
  let [parts, pages] = [0, 0];
  do {
    const page = await run(SCOPE, matchIds(ids).isErased, cursor, { stopAt, deadline: Infinity, now: () => 0 });
    parts += page.parts;
    pages += 1;
    cursor = page.cursor;
    if (pages > 100) throw new Error("The erasure does not end.");
  } while (cursor !== undefined);
  return { parts, pages };
}

async function idsIn({ files }: Pick<Written, "files">, tenant = "acme"): Promise<string[]> {
  const ids: string[] = [];
  for await (const key of listManifests(files, { tenant })) {
    const manifest = await findManifest(files, key);
    for (const part of manifest.parts)
      ids.push(...(await readPart(files, manifest, part)).map((line) => (JSON.parse(line) as { id: string }).id));
  }
  return ids;
}

const ALL = [...PARTS.flat(), "d1", "d2"];

describe("an erasure in the archive", () => {
  it("only parts with erased events are written again, and every other file and tenant stays byte for byte", async () => {
    const archive = await written();
    const before = new Map(archive.stored);

    expect(await erase(archive, ["a2", "c1", "c2"])).toMatchObject({ parts: 2 });

    expect(await idsIn(archive)).toEqual(["a1", "a3", "b1", "b2", "d1", "d2"]);
    expect(await idsIn(archive, "other")).toEqual(["a1"]);
    expect(await verify(archive.files, {})).toMatchObject({ faults: [], manifests: 3, rows: 7 });
    const manifest = await findManifest(archive.files, archive.keys[0] ?? "", archive.known.get(archive.keys[0] ?? ""));
    expect(manifest).toMatchObject({ rows: 4, erased: 3, horizon: "1000" });
    const changed = [...before].filter(([key, bytes]) => archive.stored.get(key) !== bytes).map(([key]) => key);
    expect(changed).toEqual([
      archiveKey(PLACE, "part-00001.ndjson.gz"),
      archiveKey(PLACE, "part-00003.ndjson.gz"),
      archive.keys[0],
    ]);
    const texts = textsOf(archive.stored);
    for (const id of ["a2", "c1", "c2"]) expect(texts).not.toContain(`mark-${id}`);
  });

  it("a part that was written again keeps its place in the order, and is written once more by the next erasure", async () => {
    const archive = await written();
    await erase(archive, ["a2"]);

    await erase(archive, ["a1"]);

    const [name = ""] = (await findManifest(archive.files, archive.keys[0] ?? "")).parts.map((part) => part.name);
    expect(placeInOrder(name)).toBe(1);
    expect([...archive.stored.keys()].filter((key) => key.includes("/acme/1/part-"))).toHaveLength(4);
    expect(await idsIn(archive)).toEqual(ALL.filter((id) => !["a1", "a2"].includes(id)));
    expect(await findManifest(archive.files, archive.keys[0] ?? "")).toMatchObject({ erased: 2 });
  });

  it("a manifest whose events are all erased has no parts, and is still one", async () => {
    const archive = await written();

    await erase(archive, ALL);

    expect(await idsIn(archive)).toEqual([]);
    expect(await verify(archive.files, {})).toMatchObject({ faults: [], manifests: 3, rows: 1 });
    expect(await findManifest(archive.files, archive.keys[1] ?? "")).toMatchObject({ rows: 0, parts: [], erased: 2 });
    expect(textsOf(archive.stored).match(/mark-/g)).toHaveLength(1);
  });

  it("an erasure that is killed at any call leaves an archive that verifies, loses nothing else, and is ended by the next", async () => {
    const erased = ["a1", "b1", "b2", "d2"];
    const kept = ALL.filter((id) => !erased.includes(id));
    for (let nth = 1; ; nth += 1) {
      for (const when of ["before", "behind"] as const) {
        const archive = await written();
        const killing = killAt(nth, when);
        const isKilled = await erase(
          { files: killing.wrap(archive.files), rewrites: killing.wrap(archive.rewrites) },
          erased,
        ).then(
          () => false,
          (error: unknown) => {
            if (!(error instanceof Killed)) throw error;
            return true;
          },
        );

        expect(await verify(archive.files, {}), `${when} call ${nth}`).toMatchObject({ faults: [], manifests: 3 });
        const now = await idsIn(archive);
        expect([new Set(now).size, kept.filter((id) => !now.includes(id))]).toEqual([now.length, []]);

        await erase(archive, erased);
        expect(await idsIn(archive), `${when} call ${nth}`).toEqual(kept);
        expect(textsOf(archive.stored).match(/mark-(?:a1|b1|b2|d2)/g)).toEqual(["mark-a1"]);
        const named = await Promise.all(
          archive.keys.map((key) => findManifest(archive.files, key, archive.known.get(key))),
        );
        expect(named.map(({ erased: count }) => count)).toEqual([3, 1]);
        expect(archive.pending.size).toBe(0);
        if (!isKilled) {
          expect(nth).toBeGreaterThan(20);
          return;
        }
      }
    }
  });

  it("each page begins nothing behind its time, and does at least one part", async () => {
    const archive = await written();

    const { pages, parts } = await erase(archive, ["a1", "b2", "c1", "d1"], { stopAt: 0 });

    expect([pages, parts]).toEqual([5, 4]);
    expect(await idsIn(archive)).toEqual(["a2", "a3", "b1", "c2", "d2"]);
    expect(await verify(archive.files, {})).toMatchObject({ faults: [] });
  });

  it("a part or manifest that is not what was written is named, and nothing is deleted", async () => {
    const archive = await written();
    const part = archiveKey(PLACE, "part-00002.ndjson.gz");
    const original = archive.stored.get(part) ?? new Uint8Array();
    const changed = Uint8Array.from(original);
    changed[20] = (changed[20] ?? 0) ^ 1;
    const before = [...archive.stored.keys()];

    archive.stored.set(part, changed);
    await expect(erase(archive, ["c1"])).rejects.toThrow(`${part} was changed`);
    archive.stored.delete(part);
    await expect(erase(archive, ["c1"])).rejects.toThrow(`${part} is missing`);
    archive.stored.set(part, original);
    archive.known.set(archive.keys[0] ?? "", "0".repeat(64));
    await expect(erase(archive, ["c1"])).rejects.toThrow(`${archive.keys[0]} was changed`);

    expect([...archive.stored.keys()].toSorted()).toEqual(before.toSorted());
    expect(await idsIn(archive)).toEqual(ALL);
  });

  it("parts that no manifest names are deleted, but those that a step of the archive writes now", async () => {
    const archive = await written();
    const left = archiveKey(PLACE, "part-00009.ndjson.gz");
    const unfinished = archiveKey({ ...PLACE, generation: 2 }, "part-00001.ndjson.gz");
    const put = async () => {
      for (const key of [left, unfinished]) await archive.files.put(key, Buffer.from("1"), "application/gzip");
    };
    await put();
    archive.world.unfinished = [2];

    await erase(archive, []);
    expect([archive.stored.has(left), archive.stored.has(unfinished)]).toEqual([false, true]);

    archive.world.unfinished = [];
    await put();
    await erase(archive, []);
    expect([archive.stored.has(left), archive.stored.has(unfinished)]).toEqual([false, false]);
    expect(await idsIn(archive)).toEqual(ALL);
  });

  it("nothing begins while events may be on their way into the archive, a restore reads it, or another erasure writes it", async () => {
    const archive = await written();
    const { world, pending, known } = archive;
    const before = new Map(archive.stored);
    const unchanged = () => [...before].filter(([key, bytes]) => archive.stored.get(key) !== bytes);

    world.isUnderWay = true;
    await expect(erase(archive, ["a1"])).rejects.toMatchObject({ name: "FilesError", message: /being archived/ });
    world.isUnderWay = false;
    world.isBusy = true;
    await expect(erase(archive, ["a1"])).rejects.toMatchObject({ name: "FilesError", message: /A restore reads/ });
    world.isBusy = false;
    pending.set(archive.keys[0] ?? "", {
      erasureId: "other",
      previous: known.get(archive.keys[0] ?? "") ?? "",
      sha256: "x",
    });
    await expect(erase(archive, ["a1"])).rejects.toMatchObject({ name: "FilesError", message: /Another erasure/ });
    expect(unchanged()).toEqual([]);

    world.isStale = true;
    await erase(archive, ["a1"]);
    expect(await idsIn(archive)).toEqual(ALL.slice(1));
  });

  it("two erasures at once lose neither's events", async () => {
    const archive = await written();
    const slow = {
      ...archive.rewrites,
      begin: async (...args: Parameters<typeof archive.rewrites.begin>) => {
        await erase(archive, ["b1"]);
        return archive.rewrites.begin(...args);
      },
    };

    await expect(erase({ files: archive.files, rewrites: slow }, ["a1"])).rejects.toThrow("Another erasure writes");
    await erase(archive, ["a1"]);

    expect(await idsIn(archive)).toEqual(ALL.filter((id) => !["a1", "b1"].includes(id)));
  });
});

describe("the place of a restore", () => {
  it("is behind the same events in the rewritten manifest, wherever it was", () => {
    const part = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(), (parts, atPart, atLine) => {
        const partAt = atPart % parts.length;
        const lineAt = atLine % (parts[partAt]?.length ?? 1);
        const rewritten = parts.map((erased) => ({
          part: erased.every(Boolean) ? undefined : ({ rows: erased.filter((is) => !is).length } as ArchivePart),
          removed: erased.flatMap((is, index) => (is ? [index] : [])),
        }));
        const behind = parts.flatMap((erased, p) =>
          erased.flatMap((is, l) => (!is && (p > partAt || (p === partAt && l >= lineAt)) ? [`${p}.${l}`] : [])),
        );

        const moved = moveRestore({ id: "r", partAt, lineAt }, rewritten);

        const now = parts
          .map((erased, p) => erased.flatMap((is, l) => (is ? [] : [`${p}.${l}`])))
          .filter((lines) => lines.length > 0);
        const rest = now.flatMap((lines, p) =>
          lines.filter((_line, l) => p > moved.partAt || (p === moved.partAt && l >= moved.lineAt)),
        );
        expect(moved.manifestsFurther === 1 ? [] : rest).toEqual(behind);
        if (moved.manifestsFurther === 0 && now.length > 0) expect(now[moved.partAt]?.[moved.lineAt]).toBeDefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it("the name of a part that is written again is another for other events, and in its place", () => {
    const name = rewrittenName("part-00012.ndjson.gz", "f".repeat(64));

    expect(name).toMatch(/^part-00012\d{15}\.ndjson\.gz$/);
    expect(rewrittenName(name, "0".repeat(64))).toBe(`part-00012${"0".repeat(15)}.ndjson.gz`);
    expect(["part-00013.ndjson.gz", name, "part-00011.ndjson.gz"].toSorted()[1]).toBe(name);
    expect([name, "part-123456.ndjson.gz"].map(placeInOrder)).toEqual([12, 123_456]);
  });
});
