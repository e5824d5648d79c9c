import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createArchiveFolder } from "../../../functions/adapters/files/archive-folder.ts";
import { callScript } from "../../support/call-script.ts";
import { startFakeApi } from "../../support/fake-api.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { lineOf, PLACE, writeArchive } from "../retain/archive-support.ts";

const PART = "archive/30d/2026-11-01/acme/1/part-00002.ndjson.gz";

let folder: TemporaryFolder;
let keys: string[];
beforeEach(async () => {
  folder = await temporaryFolder();
  const files = createArchiveFolder(folder.path);
  keys = [
    await writeArchive(files, [[lineOf("1"), lineOf("2", { data: { n: 5 } })], [lineOf("3")]]),
    await writeArchive(files, [[lineOf("4")]], { ...PLACE, day: "2026-11-02", tenant: "other" }),
  ];
  return () => folder.remove();
});

const archive = (...args: string[]) => callScript("archive", [...args, "--folder", folder.path]);

describe("npm run archive", () => {
  it("ls prints the manifests of a scope with their events", async () => {
    const all = await archive("ls");
    const one = await archive("ls", "--tenant", "other", "--json");

    expect([
      all.code,
      all.stdout
        .split("\n")
        .slice(0, 3)
        .map((line) => line.split(/ +/).slice(0, 2)),
    ]).toEqual([
      0,
      [
        ["MANIFEST", "EVENTS"],
        [keys[0], "3"],
        [keys[1], "1"],
      ],
    ]);
    expect(JSON.parse(one.stdout)).toMatchObject([{ key: keys[1], tenant: "other", rows: 1, parts: 1 }]);
  });

  it("a bucket that does not answer is an error with its reason", async () => {
    const { code, stderr } = await callScript("archive", [
      "ls",
      "--bucket",
      "none",
      "--endpoint",
      "http://127.0.0.1:1",
    ]);

    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: S3 did not answer a call: .*connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
  });

  it("cat prints the events as they were written, those of a filter, and those of a day", async () => {
    expect((await archive("cat")).stdout).toBe(
      [lineOf("1"), lineOf("2", { data: { n: 5 } }), lineOf("3"), lineOf("4"), ""].join("\n"),
    );
    expect((await archive("cat", "--filter", '{"data":{"n":[5]}}')).stdout).toBe(
      `${lineOf("2", { data: { n: 5 } })}\n`,
    );
    expect((await archive("cat", "--from", "2026-11-02")).stdout).toBe(`${lineOf("4")}\n`);
  });

  it("zcat reads the parts without anything of Sluice", async () => {
    const text = execFileSync("zcat", [join(folder.path, dirname(PART), "part-00001.ndjson.gz")]).toString();

    expect(text).toBe([lineOf("1"), lineOf("2", { data: { n: 5 } }), ""].join("\n"));
  });

  it("verify says that all is as written", async () => {
    expect(await archive("verify")).toMatchObject({
      code: 0,
      stdout: "2 manifests, 3 parts, 4 events: all as written\n",
    });
  });

  it("verify names each file that was changed or is missing, and reads the others", async () => {
    const path = join(folder.path, PART);
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    await writeFile(join(folder.path, keys[1] ?? ""), "{}");

    const changed = await archive("verify");
    expect([changed.code, changed.stdout.split("\n")]).toEqual([
      1,
      [
        expect.stringContaining(`${PART} was changed: it has the SHA-256`),
        expect.stringContaining(`${keys[1]} is no manifest`),
        "1 manifest, 1 part, 2 events: 2 faults",
        "",
      ],
    ]);
    await rm(path);
    expect((await archive("verify", "--tenant", "acme")).stdout).toContain(`${PART} is missing; its manifest names it`);
    const { code, stdout, stderr } = await archive("cat", "--tenant", "acme");
    expect([code, stdout, stderr]).toEqual([
      2,
      `${lineOf("1")}\n${lineOf("2", { data: { n: 5 } })}\n`,
      `error: ${PART} is missing; its manifest names it\n`,
    ]);
  });

  it("an archive has to be named once", async () => {
    expect(await callScript("archive", ["ls"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Name the archive: --bucket"),
    });
    expect(await archive("ls", "--bucket", "b")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("name two archives"),
    });
    await mkdir(join(folder.path, "empty"));
    expect(await callScript("archive", ["ls", "--folder", join(folder.path, "empty")])).toMatchObject({
      code: 0,
      stdout: "",
    });
  });
});

describe("npm run restore", () => {
  let api: Awaited<ReturnType<typeof startFakeApi>>;
  beforeAll(async () => {
    api = await startFakeApi();
  });
  afterAll(() => api.stop());

  const job = {
    id: `rst_${"0".repeat(32)}`,
    state: "done",
    into: "live",
    retention: "keep",
    planned: 3,
    read: 3,
    matched: 3,
    restored: 2,
    present: 1,
    conflicts: 0,
    refused: 0,
    keyId: "k",
    createdAt: "2026-12-01T00:00:00.000Z",
    progressAt: "2026-12-01T00:00:00.000Z",
  };

  it.each(["restore", "archive restore"])(
    "%s starts a job, waits for it and prints what became of the events",
    async (words) => {
      const [name = "", ...more] = words.split(" ");
      api.answer(({ method }) => ({
        status: method === "POST" ? 202 : 200,
        body: method === "POST" ? { ...job, state: "running", read: 0 } : job,
      }));

      const { code, stdout } = await callScript(name, [
        ...more,
        "--from",
        "2026-11-01",
        "--type",
        "a.*",
        "--into",
        "live",
        "--retention",
        "400d",
        ...api.flags,
      ]);

      expect([code, stdout]).toEqual([
        0,
        "2 events restored\n1 were there, 0 are stored with other content, 0 refused\n",
      ]);
      expect(JSON.parse(api.requests[0]?.body ?? "")).toEqual({
        from: "2026-11-01",
        filter: { prefix: { type: "a." } },
        into: "live",
        retention: "400d",
      });
    },
  );

  it("a dry run says what would be read, and starts nothing", async () => {
    const manifests = [{ key: "archive/30d/2026-11-01/acme/1/_manifest.json", sha256: "a", rows: 3, known: false }];
    api.answer(() => ({ body: { state: "planned", planned: 3, bytes: 9, manifests } }));

    const { stdout } = await callScript("restore", ["--manifest", manifests[0]?.key ?? "", "--dry-run", ...api.flags]);

    expect(stdout).toBe(`${manifests[0]?.key}  3 events, of another database\n3 events would be read\n`);
    expect(JSON.parse(api.requests[0]?.body ?? "")).toEqual({
      manifests: [manifests[0]?.key],
      into: "beside",
      dryRun: true,
    });
  });

  it("a restore that failed or left events out ends with 1 and its reason", async () => {
    api.answer(() => ({ body: { ...job, state: "failed", reason: "archive_changed", detail: "KEY was changed." } }));

    const { code, stdout } = await callScript("restore", ["--watch", job.id, ...api.flags]);

    expect([code, stdout.split("\n")]).toEqual([
      1,
      [
        "2 events restored, and the restore failed",
        "1 were there, 0 are stored with other content, 0 refused",
        "KEY was changed.",
        "",
      ],
    ]);
    api.answer(() => ({ body: { ...job, conflicts: 1 } }));
    expect((await callScript("restore", ["--watch", job.id, ...api.flags])).code).toBe(1);
  });
});
