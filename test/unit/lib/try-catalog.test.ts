import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tryCatalog } from "../../../lib/try-catalog.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
  await symlink(resolve("node_modules"), join(folder.path, "node_modules"), "dir");
  await mkdir(join(folder.path, "parts"));
});
afterEach(() => folder.remove());

const GOOD = 'import * as z from "zod";\nexport const type = "good";\nexport const data = z.string();\n';

/** Tries a good file, and one with the given text after it. */
async function attempt(text: string) {
  const files = ["a.ts", "bad.ts", "z.ts"].map((name) => join(folder.path, name));
  for (const [index, content] of [GOOD, text, GOOD].entries()) await writeFile(files[index] ?? "", content);
  const { faults, harmful } = tryCatalog(files);
  const relative = (line: string) => line.slice(line.lastIndexOf("/bad.ts") + 1);
  return { faults: faults.map(relative), harmful: harmful.map(relative) };
}

describe("a catalog as Lambda loads it", () => {
  it("has no fault where each file loads", async () => {
    expect(await attempt(GOOD)).toEqual({ faults: [], harmful: [] });
    expect(await attempt('console.log("[order] loaded");\nprocess.stdout.write("[");\nexport {};\n')).toEqual({
      faults: [],
      harmful: [],
    });
  });

  it("has no fault where it has no file", () => {
    expect(tryCatalog([])).toEqual({ faults: [], harmful: [] });
  });

  it.each([
    [
      "a file that is beside the sources only",
      'import { readFileSync } from "node:fs";\nexport const x = readFileSync(new URL("./bad.ts", import.meta.url));\n',
      "bad.ts:2 cannot be bundled",
    ],
    ["await at the top", "export const x = await Promise.resolve(1);\n", "bad.ts:1 cannot be bundled"],
    [
      "a variable of the shell",
      'if (!process.env["HOME"]) throw new Error("HOME is not set");\nexport {};\n',
      "bad.ts does not load in Lambda, which bundles it and has no variables of the shell: HOME is not set",
    ],
  ])("names a file that needs %s", async (_name, text, why) => {
    const { faults, harmful } = await attempt(text);

    expect(faults).toEqual([expect.stringContaining(why)]);
    expect(harmful).toEqual([]);
  });

  it.each([
    ["ends the process", "process.exit(3);\nexport {};\n", "bad.ts ends its process with 3"],
    ["throws what is no error", 'throw "no";\nexport {};\n', "bad.ts throws what is no Error: no"],
  ])("names a file that %s, which must not be loaded here", async (_name, text, why) => {
    expect(await attempt(text)).toEqual({ faults: [], harmful: [why] });
  });

  it("names a file that never ends", async () => {
    const file = join(folder.path, "bad.ts");
    // It waits, as a loop would, and leaves the processor to others.
    await writeFile(file, "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);\nexport {};\n");

    expect(tryCatalog([file], 1_000)).toEqual({ faults: [], harmful: [`${file} does not load in 1 s`] });
  });
});
