import { describe, expect, it } from "vitest";
import { archiveKey, MANIFEST_NAME, placeOf } from "../../../functions/core/archive-keys.ts";
import { type ArchiveManifest, readManifest, writeManifest } from "../../../functions/core/archive-manifest.ts";

const manifest: ArchiveManifest = {
  version: 1,
  retention: "30d",
  day: "2026-11-01",
  tenant: "acme",
  generation: 1,
  incarnation: "01978d5c-0f3a-7c0c-8f1d-2b3a4c5d6e7f",
  horizon: "12345678901234567",
  archivedAt: "2026-12-01T00:00:00.000Z",
  rows: 3,
  bytes: 30,
  textBytes: 300,
  first: "1",
  last: "99",
  parts: [
    {
      name: "part-00001.ndjson.gz",
      rows: 2,
      bytes: 20,
      sha256: "a".repeat(64),
      textBytes: 200,
      textSha256: "b".repeat(64),
    },
    {
      name: "part-00002.ndjson.gz",
      rows: 1,
      bytes: 10,
      sha256: "c".repeat(64),
      textBytes: 100,
      textSha256: "d".repeat(64),
    },
  ],
};
const KEY = archiveKey(manifest, MANIFEST_NAME);

const read = (text: string, key = KEY) => readManifest(key, Buffer.from(text));

function changed(change: (json: Record<string, unknown>) => void): string {
  const json = JSON.parse(writeManifest(manifest)) as Record<string, unknown>;
  change(json);
  return JSON.stringify(json);
}

describe("the manifest of an archive", () => {
  it("a manifest that was written is read as it was, and its text is the same each time", () => {
    expect(read(writeManifest(manifest))).toEqual(manifest);
    expect(writeManifest({ ...manifest })).toBe(writeManifest(manifest));
    expect(
      read(
        JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(writeManifest(manifest)) as object).toReversed())),
      ),
    ).toEqual(manifest);
  });

  it.each(["rows", "horizon", "archivedAt", "first", "incarnation"])(
    "a manifest with another %s is refused and named",
    (name) => {
      const text = changed((json) => {
        json[name] = typeof json[name] === "number" ? 4 : name === "archivedAt" ? "2026-12-02T00:00:00.000Z" : "77";
      });

      expect(() => read(text)).toThrow(`${KEY} was changed: its SHA-256`);
    },
  );

  it.each(["name", "rows", "bytes", "sha256", "textBytes", "textSha256"])(
    "a manifest whose part has another %s is refused and named",
    (name) => {
      const text = changed((json) => {
        const [part] = json["parts"] as Record<string, unknown>[];
        if (part !== undefined)
          part[name] = name === "name" ? "part-00007.ndjson.gz" : typeof part[name] === "number" ? 7 : "e".repeat(64);
      });

      expect(() => read(text)).toThrow(`${KEY} was changed: its SHA-256`);
    },
  );

  it("a manifest without one of its parts, with another member, or of another version is refused and named", () => {
    expect(() => read(changed((json) => (json["parts"] = (json["parts"] as unknown[]).slice(1))))).toThrow(
      `${KEY} was changed`,
    );
    expect(() => read(changed((json) => (json["more"] = 1)))).toThrow(`${KEY} is no manifest`);
    expect(() => read(changed((json) => (json["version"] = 2)))).toThrow(`${KEY} is no manifest: version`);
    expect(() => read("{")).toThrow(`${KEY} is not JSON`);
  });

  it.each(["retention", "day", "tenant", "generation"])(
    "a manifest that stands under another %s is refused",
    (name) => {
      const others = { retention: "90d", day: "2026-11-02", tenant: "other", generation: 2 };
      const place = { ...manifest, [name]: others[name as keyof typeof others] };

      expect(() => read(writeManifest(manifest), archiveKey(place, MANIFEST_NAME))).toThrow(
        `is the manifest of ${KEY}`,
      );
    },
  );

  it("a manifest whose parts do not add up is refused, though its SHA-256 is right", () => {
    expect(() => read(writeManifest({ ...manifest, rows: 4 }))).toThrow(`${KEY} has parts with 3 rows and says 4`);
  });

  it.each(["acme", "a/b", "..", ".hidden", "ü %", "a.b"])(
    "the key of the tenant %j names it and has no other step of a path",
    (tenant) => {
      const key = archiveKey({ ...manifest, tenant }, MANIFEST_NAME);

      expect(placeOf(key)).toMatchObject({ tenant });
      expect(key.split("/")).toHaveLength(6);
      expect(key.split("/").some((step) => step.startsWith("."))).toBe(false);
    },
  );

  it.each([
    "archive/30d/2026-11-01/acme/1/part-00001.ndjson.gz",
    "archive/30d/2026-11-01/acme/0/_manifest.json",
    "archive/30d/2026-11-01/../1/_manifest.json/",
    "other/30d/2026-11-01/acme/1/_manifest.json",
    "archive/30d/2026-11-01/a%zz/1/_manifest.json",
  ])("%s is no key of a manifest", (key) => {
    expect(placeOf(key)).toBeUndefined();
  });
});
