import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callScript } from "../../support/call-script.ts";
import { startFakeApi } from "../../support/fake-api.ts";

describe("npm run erase", () => {
  let api: Awaited<ReturnType<typeof startFakeApi>>;
  beforeAll(async () => {
    api = await startFakeApi();
  });
  afterAll(() => api.stop());

  const counts = { events: 3, restored: 0, deadLetters: 1, deliveries: 2, exports: 4, archive: 5, refusals: 0 };
  const planned = { ...counts, complete: true };
  const job = {
    id: `ers_${"0".repeat(32)}`,
    state: "done",
    by: "subject",
    reason: "r",
    keyId: "k",
    planned,
    erased: {},
    createdAt: "2026-12-01T00:00:00.000Z",
    progressAt: "2026-12-01T00:00:00.000Z",
    finishedAt: "2026-12-01T00:00:20.000Z",
    receipt: {
      id: `ers_${"0".repeat(32)}`,
      by: "k",
      at: "2026-12-01T00:00:20.000Z",
      filterHash: "ab",
      counts: { ...counts, attempts: 2, keys: 4 },
      horizonBefore: "1",
      horizonAfter: "2",
      rollupDeltas: 3,
      backupsExpireAt: "2027-01-05T00:00:20.000Z",
      sha256: "cd",
    },
  };
  const answer = () =>
    api.answer(({ method, body }) => {
      if (method === "GET") return { body: job };
      return body.includes("dryRun") ? { body: { state: "planned", planned } } : { status: 202, body: job };
    });

  it("starts when the number of the plan is given, waits and prints the receipt", async () => {
    answer();

    const { code, stdout } = await callScript("erase", [
      "--id",
      "a",
      "b",
      "--source",
      "/s",
      "--reason",
      "r",
      "--suppress",
      "30d",
      "--confirm",
      "3",
      ...api.flags,
    ]);

    expect([code, stdout.split("\n")]).toEqual([
      0,
      [
        "3 events, 1 dead letter, 2 deliveries",
        "4 files of exports and 5 parts of the archive to be searched",
        "3 events erased",
        "events 3, restored 0, deadLetters 1, deliveries 2, attempts 2, exports 4, archive 5, refusals 0, keys 4",
        "No backup has them after 2027-01-05T00:00:20.000Z",
        "SHA-256 of the receipt: cd",
        "",
      ],
    ]);
    expect(api.requests.map(({ method, body }) => [method, body && (JSON.parse(body) as unknown)])).toEqual([
      [
        "POST",
        {
          ids: [
            { source: "/s", id: "a" },
            { source: "/s", id: "b" },
          ],
          reason: "r",
          suppress: "30d",
          dryRun: true,
        },
      ],
      [
        "POST",
        {
          ids: [
            { source: "/s", id: "a" },
            { source: "/s", id: "b" },
          ],
          reason: "r",
          suppress: "30d",
        },
      ],
      ["GET", ""],
    ]);
  });

  it("erases nothing where another number is given", async () => {
    answer();

    const { code, stderr } = await callScript("erase", [
      "--subject",
      "mary",
      "--reason",
      "r",
      "--confirm",
      "2",
      ...api.flags,
    ]);

    expect([code, stderr]).toEqual([1, "Nothing was erased\n"]);
    expect(api.requests).toHaveLength(1);
  });

  it("a dry run only says how much there is", async () => {
    answer();

    const { code } = await callScript("erase", ["--subject", "mary", "--reason", "r", "--dry-run", ...api.flags]);

    expect(code).toBe(0);
    expect(api.requests).toHaveLength(1);
  });

  it("an erasure that failed ends with 1 and says why", async () => {
    api.answer(() => ({ body: { ...job, state: "failed", failure: "on_hold", detail: "The hold hld_1 has one." } }));

    const { code, stdout } = await callScript("erase", ["--watch", job.id, ...api.flags]);

    expect(code).toBe(1);
    expect(stdout).toContain("3 events erased, and the erasure failed: on_hold\nThe hold hld_1 has one.\n");
  });

  it.each([
    [["--reason", "r"], "Give one of --subject, --id and --filter."],
    [["--subject", "a", "--id", "b", "--reason", "r"], "Give one of"],
    [["--subject", "a", "--source", "/s", "--reason", "r"], "--source belongs to --id."],
    [["--subject", "a"], "Give a --reason"],
  ])("%j is refused before anything is asked", async (words, error) => {
    answer();

    const { code, stderr } = await callScript("erase", [...words, ...api.flags]);

    expect(code).toBe(2);
    expect(stderr).toContain(error);
    expect(api.requests).toEqual([]);
  });
});
