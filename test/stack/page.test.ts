import { describe, expect, it } from "vitest";
import { buildPage, compress } from "../../lib/bundle-page.ts";

const KIB = 1_024;
const files = buildPage();
const sizeOf = (extension: string) =>
  Array.from(files)
    .filter(([name]) => name.endsWith(extension))
    .reduce((sum, [, bytes]) => sum + compress(bytes).length, 0);

describe("the files of the page", () => {
  it("the script and the style sheet of the page have at most 90 KiB, compressed", () => {
    expect(sizeOf(".js") + sizeOf(".css")).toBeLessThanOrEqual(90 * KIB);
    expect(sizeOf(".js")).toBeGreaterThan(KIB);
  });

  it("the style sheet of the page has at most 8 KiB, compressed", () => {
    expect(sizeOf(".css")).toBeLessThanOrEqual(8 * KIB);
    expect(sizeOf(".css")).toBeGreaterThan(100);
  });

  it("the names of the page's files change with their content alone", () => {
    expect([...buildPage().keys()]).toEqual([...files.keys()]);
    expect([...files.keys()].toSorted()).toEqual([
      expect.stringMatching(/^app-[0-9A-Z]{8}\.js$/),
      expect.stringMatching(/^style-[0-9A-Z]{8}\.css$/),
    ]);
  });
});
