import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildHandler, DEPLOYED } from "../../../lib/bundle.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

describe("a stack trace of a bundled function", () => {
  let folder: TemporaryFolder;
  let bundle: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    buildHandler("ingest", folder.path, DEPLOYED);
    bundle = join(folder.path, "index.js");
  });

  afterAll(() => folder.remove());

  const run = (script: string) => spawnSync(process.execPath, ["-e", script], { env: {}, encoding: "utf8" }).stderr;

  it("a stack trace names our sources by their place in the project, and the error as it is", () => {
    const printed = run(`require(${JSON.stringify(bundle)})`);

    expect(printed).toContain("Error: The function's environment is not valid.");
    expect(printed).toMatch(/\(functions\/adapters\/lambda\/environment\.ts:\d+:\d+\)\n/);
    expect(printed).toMatch(/\(functions\/ingest\/handler\.ts:\d+:\d+\)\n/);
    const [, line = 0] = /environment\.ts:(\d+)/.exec(printed) ?? [];
    const source = readFileSync("functions/adapters/lambda/environment.ts", "utf8").split("\n")[Number(line) - 1];
    expect(source).toContain("throw new Error");
  });

  it("a bundle does not name its map, which Node would read at each start", () => {
    expect(readFileSync(bundle, "utf8")).not.toContain("sourceMappingURL");
  });

  it("a stack trace is written without a map, too, and for an error whose name throws", () => {
    rmSync(`${bundle}.map`);
    const script = `
      try { require(${JSON.stringify(bundle)}) } catch {}
      const bad = new Error("x");
      Object.defineProperty(bad, "name", { get() { throw new Error("no name"); } });
      process.stderr.write(bad.stack);`;

    expect(run(script)).toMatch(/^<error>\n    at \[eval\]:\d+:\d+/);
  });
});
