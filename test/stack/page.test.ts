import { describe, expect, it } from "vitest";
import { buildPage, compress } from "../../lib/bundle-page.ts";

const KIB = 1_024;
const files = buildPage();
const namesOf = (extension: string) => [...files.keys()].filter((name) => name.endsWith(extension));
const sizeOf = (names: readonly string[]) =>
  names.reduce((sum, name) => sum + compress(files.get(name) ?? new Uint8Array()).length, 0);

/** A script and those that it imports, which a browser loads before it runs; no script that is imported later. */
function withImports(name: string): string[] {
  const text = new TextDecoder().decode(files.get(name));
  const imports = Array.from(text.matchAll(/\b(?:from|import)"\.\/(chunk-\w+\.js)"/g), ([, each]) => each ?? "");
  return [...new Set([name, ...imports.flatMap(withImports)])];
}

const firstLoad = [...namesOf(".css"), ...withImports(namesOf(".js").find((name) => name.startsWith("app-")) ?? "")];

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

  it("the style sheet of the page has at most 8 KiB, compressed", () => {
    expect(sizeOf(namesOf(".css"))).toBeLessThanOrEqual(8 * KIB);
    expect(sizeOf(namesOf(".css"))).toBeGreaterThan(100);
  });

  it("the names of the page's files change with their content alone", () => {
    expect([...buildPage().keys()]).toEqual([...files.keys()]);
    expect([...files.keys()].toSorted()).toEqual([
      expect.stringMatching(/^app-[0-9A-Z]{8}\.js$/),
      ...namesOf(".js")
        .filter((name) => !name.startsWith("app-"))
        .map(() => expect.stringMatching(/^chunk-[0-9A-Z]{8}\.js$/) as string),
      expect.stringMatching(/^style-[0-9A-Z]{8}\.css$/),
    ]);
  });
});
