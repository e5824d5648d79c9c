import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { buildPage, bundlePage, compress } from "../../lib/bundle-page.ts";

const KIB = 1_024;
const { files, imports } = buildPage();
const namesOf = (extension: string) => [...files.keys()].filter((name) => name.endsWith(extension));
const sizeOf = (names: readonly string[]) =>
  names.reduce((sum, name) => sum + compress(files.get(name) ?? new Uint8Array()).length, 0);

/** A browser loads these before the page is drawn, and other scripts when one of their screens is shown. */
const firstLoad = [...namesOf(".css"), ...namesOf(".js").filter((name) => name.startsWith("app-")), ...imports];

describe("the files of the page", () => {
  it("the first load of the page has at most 90 KiB, compressed", () => {
    expect(sizeOf(firstLoad)).toBeLessThanOrEqual(90 * KIB);
    expect(firstLoad.every((name) => files.has(name))).toBe(true);
    expect(sizeOf(firstLoad)).toBeGreaterThan(30 * KIB);
  });

  it("all scripts and style sheets of the page have at most 120 KiB, compressed", () => {
    expect(sizeOf([...files.keys()])).toBeLessThanOrEqual(120 * KIB);
    expect(files.size).toBeGreaterThan(firstLoad.length);
  });

  it("the page names every file of its first load, and no other", () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-page-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    bundlePage(folder);

    const text = readFileSync(join(folder, "page.html"), "utf8");

    const named = Array.from(text.matchAll(/(?:href|src)="console\/([^"]+)"/g), ([, name = ""]) => name);
    expect(named.toSorted()).toEqual(firstLoad.toSorted());
    expect(text).not.toContain("{");
  });

  it("the style sheet of the page has at most 8 KiB, compressed", () => {
    expect(sizeOf(namesOf(".css"))).toBeLessThanOrEqual(8 * KIB);
    expect(sizeOf(namesOf(".css"))).toBeGreaterThan(100);
  });

  it("the names of the page's files change with their content alone", () => {
    expect([...buildPage().files.keys()]).toEqual([...files.keys()]);
    expect([...files.keys()].toSorted()).toEqual([
      expect.stringMatching(/^app-[0-9A-Z]{8}\.js$/),
      ...namesOf(".js")
        .filter((name) => !name.startsWith("app-"))
        .map(() => expect.stringMatching(/^chunk-[0-9A-Z]{8}\.js$/) as string),
      expect.stringMatching(/^style-[0-9A-Z]{8}\.css$/),
    ]);
  });
});
