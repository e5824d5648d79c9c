import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { runScript, startScript } from "../support/run-script.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const COUNT = 40;

let runtime: TestRuntime;
let folder: TemporaryFolder;
beforeAll(async () => {
  runtime = await startTestRuntime();
  const events = Array.from({ length: COUNT }, (_, at) => ({
    id: `e-${at}`,
    type: at % 4 === 0 ? "com.example.fourth" : "com.other",
    source: `/s/${at % 2}`,
    data: { at, text: "two\r\nlines" },
  }));
  const response = await fetch(`${runtime.addresses.url}/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${runtime.addresses.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  if (response.status !== 202) throw new Error(`The events were answered with ${response.status}.`);
  await eventually(
    async () => (await runtime.query("select count(*)::int as count from events"))[0]?.["count"],
    (count) => count === COUNT,
  );
});
afterAll(() => runtime?.remove());
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const run = (...words: string[]) =>
  runScript("export", [...words, "--data-dir", runtime.dataDir], { SLUICE_API_KEY: "" });

const out = () => join(folder.path, "out");

async function textOf(format = "ndjson"): Promise<string> {
  const names = (await readdir(out())).filter((name) => name.endsWith(`.${format}.gz`)).toSorted();
  const texts = await Promise.all(names.map(async (name) => gunzipSync(await readFile(join(out(), name))).toString()));
  return texts.join("");
}

describe("npm run export", () => {
  it("an export ends in a folder with the files and their manifest, and says what is there", async () => {
    const { code, stdout } = await run("--out", out());

    const manifest = JSON.parse(await readFile(join(out(), "manifest.json"), "utf8"));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^exp_\w{32} done: 40 events, \d+ bytes in .*\/out\n$/),
    });
    expect((await textOf()).split("\n").slice(0, -1)).toHaveLength(COUNT);
    expect(manifest).toMatchObject({ rows: COUNT, format: "ndjson", tenant: "default" });
  });

  it("an export has the events that the options choose", async () => {
    const { code } = await run("--type", "com.example.*", "x.y", "--source", "/s/0", "--out", out());

    const ids = (await textOf())
      .split("\n")
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect([code, ids.length]).toEqual([0, COUNT / 4]);
    expect(ids.every((id) => Number(id.slice(2)) % 4 === 0)).toBe(true);
  });

  it("an export as CSV is counted by its rows, though its cells have line breaks", async () => {
    const { code, stdout } = await run("--format", "csv", "--select", "id", "data.text", "--out", out(), "--json");

    expect([code, JSON.parse(stdout)]).toMatchObject([0, { state: "done", rows: COUNT, format: "csv" }]);
    expect(await textOf("csv")).toMatch(/^id,data\.text\r\ne-\d+,"two\r\nlines"\r\n/);
  });

  it("a plan says how many events there would be, and starts nothing", async () => {
    const before = await run("--plan", "--json");
    const { code, stdout } = await run("--plan", "--type", "com.other");

    expect([code, stdout]).toEqual([0, "30 events\n"]);
    expect(JSON.parse(before.stdout)).toMatchObject({ rows: COUNT, relation: "exact" });
  });

  it("a download goes on where it ended, keeps what is whole, and replaces what is not", async () => {
    const { stdout } = await run("--out", out(), "--json");
    const { id } = JSON.parse(stdout) as { id: string };
    const name = (await readdir(out())).find((each) => each.endsWith(".gz")) ?? "";
    const whole = await readFile(join(out(), name));

    for (const damage of [
      async () => truncate(join(out(), name), 10),
      async () => writeFile(join(out(), name), Buffer.alloc(whole.length)),
      async () => writeFile(join(out(), `${name}.unfinished`), whole.subarray(0, 20)),
      async () => writeFile(join(out(), `${name}.unfinished`), Buffer.alloc(20)),
    ]) {
      await damage();
      const { code, stderr } = await run("--resume", id, "--out", out());
      expect([code, stderr]).toMatchObject([0, expect.any(String)]);
      expect((await readFile(join(out(), name))).equals(whole)).toBe(true);
    }
  });

  it("Ctrl-C leaves the export running, and the command says how to go on", async () => {
    const { child, output, ended } = startScript("export", ["--out", out(), "--data-dir", runtime.dataDir], {
      SLUICE_API_KEY: "",
    });
    await eventually(() => output.stderr.includes("Export exp_"), Boolean);
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    const [, again = ""] = /npm run export -- (.*)/.exec(stderr) ?? [];

    // So small an export may be done before the signal.
    if (code === 0) return;
    expect([code, again]).toEqual([1, expect.stringMatching(/^--resume exp_\w{32} --out .*\/out --data-dir /)]);
    const resumed = await run(...again.split(" ").slice(0, 4));
    expect(resumed.code).toBe(0);
  });

  it("an export that does not exist cannot be cancelled or resumed", async () => {
    const id = `exp_${"0".repeat(32)}`;

    for (const option of ["--cancel", "--resume"]) {
      const { code, stderr } = await run(option, id);
      expect([code, stderr]).toEqual([2, expect.stringContaining("no_such_export")]);
    }
  });

  it.each([
    [["--filter", "{"], "--filter takes a filter as JSON"],
    [["--filter", '{"exact":{}}'], "bad_filter|exact"],
    [["--format", "parquet"], "ndjson, csv"],
    [["--from", "yesterday"], "from"],
    [["--plan", "--out", "x"], "cannot be used with"],
  ])("the options %j are refused, and nothing starts", async (options, message) => {
    const { code, stderr } = await run(...options);

    expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(message))]);
  });
});
