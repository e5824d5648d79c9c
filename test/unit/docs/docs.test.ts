import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorTable, verdictCodes } from "../../../functions/core/errors.ts";
import { pathExists, paths, pathsIn } from "./repository-paths.ts";

const read = (file: string) => readFileSync(file, "utf8");
const documents = [...paths].filter((path) => path.endsWith(".md"));

/** GitHub's anchor of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
const anchors = (file: string) => [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading ?? ""));

describe("docs/errors.md", () => {
  it("docs/errors.md lists exactly the codes and statuses of the error table", () => {
    const rows = [...read("docs/errors.md").matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);

    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(Object.entries(errorTable).map(([code, { status }]) => [code, status])),
    );
  });
});

describe("docs/errors.md on verdicts", () => {
  it("docs/errors.md lists exactly the codes of a verdict", () => {
    const [section = ""] = /## Verdicts[^]*?(?=\n## )/.exec(read("docs/errors.md")) ?? [];

    expect([...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code)).toEqual([...verdictCodes]);
  });
});

describe("documents", () => {
  it.each(documents)("%s links only to files and headings that exist", (file) => {
    for (const [, target = ""] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, hash] = target.split("#");
      const linked = path === "" || path === undefined ? file : join(dirname(file), path);
      expect(existsSync(linked), `${file} links to ${target}`).toBe(true);
      if (hash !== undefined) expect(anchors(linked), `${file} links to ${target}`).toContain(hash);
    }
  });

  it.each(documents)("%s names only files and folders that exist", (file) => {
    expect(pathsIn(read(file)).filter((path) => !pathExists(path))).toEqual([]);
  });

  it("documents name only npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    for (const file of documents) {
      for (const [, name = ""] of read(file).matchAll(/npm run (?:--silent )?([a-z0-9:-]+)/g))
        expect(Object.keys(scripts), file).toContain(name);
    }
  });
});
