import { describe, expect, it } from "vitest";
import { exportPart } from "../../../functions/core/export-job.ts";
import { EXPORT_ANSWER_PARTS, EXPORT_KEPT_DAYS } from "../../../functions/core/export-limits.ts";
import { SELECT_MAX_STEPS, SELECT_PATH_MAX_BYTES } from "../../../functions/core/list-limits.ts";
import { RequestError } from "../../../functions/core/errors.ts";
import { toAnswer, toReceipt } from "../../../functions/export/answers.ts";
import { toRequest } from "../../../functions/export/to-request.ts";
import { jobSample, memoryFiles, NOW } from "./support.ts";

const { files } = memoryFiles();
const DAY_MS = 86_400_000;
const finishedAt = NOW;
const partsOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `part-${at}`, rows: 1, bytes: 1, sha256: "" }));
const receiptOf = (count: number, { after = 0, days = 0 } = {}) =>
  toReceipt(jobSample({ state: "done", manifest: "manifest-3.json", finishedAt, parts: partsOf(count) }), {
    files,
    after,
    now: new Date(Date.parse(NOW) + days * DAY_MS),
  });

describe("the receipt of an export", () => {
  it("a receipt has links of the manifest and of each part, and says when they end", async () => {
    const receipt = await receiptOf(2);

    const folder = `https://files.example/exports/acme/${jobSample().id}`;
    expect(receipt).toMatchObject({
      manifest: { name: "manifest-3.json", url: `${folder}/manifest-3.json?expires=900` },
      files: [{ url: `${folder}/part-0?expires=900` }, { url: `${folder}/part-1?expires=900` }],
      linksExpireAt: "2026-11-29T10:15:00.000Z",
      filesExpireAt: "2026-12-06T10:00:00.000Z",
    });
    expect(receipt.next).toBeUndefined();
    expect(exportPart.safeParse(receipt.files?.[0]).success).toBe(true);
  });

  it("a receipt of many parts comes in several answers, which have each part once", async () => {
    const count = 2 * EXPORT_ANSWER_PARTS + 1;
    const names: string[] = [];
    let after: number | undefined = 0;
    for (let answers = 0; after !== undefined; answers++) {
      const receipt: Awaited<ReturnType<typeof receiptOf>> = await receiptOf(count, { after });
      names.push(...(receipt.files ?? []).map(({ name }) => name));
      after = receipt.next;
      expect(answers).toBeLessThan(3);
    }

    expect(names).toEqual(partsOf(count).map(({ name }) => name));
  });

  it("a receipt whose files are deleted says since when, and has no links", async () => {
    const receipt = await receiptOf(1, { days: EXPORT_KEPT_DAYS });

    expect(receipt).toMatchObject({ filesExpiredAt: "2026-12-06T10:00:00.000Z" });
    expect([receipt.files, receipt.manifest]).toEqual([undefined, undefined]);
  });

  it.each(["queued", "running", "cancelled", "failed"] as const)("an export that is %s has no links", async (state) => {
    const job = jobSample({ state, parts: partsOf(1) });

    expect(await toReceipt(job, { files, after: 0, now: new Date(NOW) })).toEqual(toAnswer(job));
  });

  it("an answer has the filter as it was sent, with its digits, and nothing of the lease", () => {
    const filter = '{"data":{"n":[12345678901234567890]}}';
    const text = JSON.stringify(toAnswer(jobSample({ filter, leaseBy: "m-1", leaseUntil: NOW, cursor: "secret" })));

    expect(text).toContain(`"filter":${filter}`);
    expect(text).not.toMatch(/lease|cursor|secret/);
  });
});

describe("the body of an export", () => {
  const selecting = (path: string) => JSON.stringify({ select: [path] });
  const requestOf = (text: string) => toRequest(JSON.parse(text), Buffer.from(text));
  const codeOf = (text: string) => {
    try {
      requestOf(text);
      return "no error";
    } catch (error) {
      return error instanceof RequestError ? error.code : String(error);
    }
  };

  it("a body keeps the digits of the numbers in its filter", () => {
    expect(requestOf('{"format":"csv","filter":{"data":{"n":[12345678901234567890]}}}')).toEqual({
      format: "csv",
      filter: '{"data":{"n":[12345678901234567890]}}',
    });
  });

  it("a body without a filter exports every event", () => {
    expect(requestOf('{"format":"csv"}').filter).toBeUndefined();
  });

  it.each([
    ["whose filter has no known dialect", '{"filter":{"nothing":1}}', "bad_filter"],
    ["whose filter is null", '{"filter":null}', "bad_filter"],
    [
      "whose end is later though its text is not",
      `{"from":"2026-11-02T00:00:00Z","to":"2026-11-01T23:00:00-02:00"}`,
      "no error",
    ],
    ["that is nested too deep", `{"filter":${"[".repeat(2_000)}${"]".repeat(2_000)}}`, "malformed_body"],
    ["that ends when it begins", `{"from":"2026-11-02T00:00:00Z","to":"2026-11-02T01:00:00+01:00"}`, "malformed_body"],
    ["that begins in a leap second", `{"from":"2016-12-31T23:59:60Z","to":"2016-12-31T00:00:00Z"}`, "malformed_body"],
    ["whose path has as many bytes as it may", selecting("é".repeat(SELECT_PATH_MAX_BYTES / 2)), "no error"],
    ["whose path has more bytes", selecting("é".repeat(SELECT_PATH_MAX_BYTES / 2 + 1)), "malformed_body"],
    ["whose path has an empty name", selecting("data..a"), "malformed_body"],
    [
      "whose path has too many names",
      selecting(
        Array(SELECT_MAX_STEPS + 1)
          .fill("a")
          .join("."),
      ),
      "malformed_body",
    ],
  ])("a body %s is judged by its meaning", (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });
});
