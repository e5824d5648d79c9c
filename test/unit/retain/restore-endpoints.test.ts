import { describe, expect, it } from "vitest";
import { schemas } from "../../../functions/core/answer.ts";
import { RequestError } from "../../../functions/core/errors.ts";
import type { RestoreJob } from "../../../functions/core/restore-job.ts";
import type { createRestore } from "../../../functions/retain/restore.ts";
import { createRestoreEndpoints } from "../../../functions/retain/restore-endpoints.ts";
import { NOW, RESTORE, restoreSample } from "./restore-support.ts";

const MANIFEST = "archive/30d/2026-11-01/acme/1/_manifest.json";

function underTest(job: RestoreJob = restoreSample()) {
  const asked: unknown[] = [];
  const restores = {
    read: async () => job,
    plan: async (_caller: unknown, wanted: unknown) => {
      asked.push(wanted);
      return [{ key: MANIFEST, sha256: "a".repeat(64), manifest: { rows: 3, bytes: 30 }, isKnown: true }];
    },
    start: async (_caller: unknown, wanted: unknown) => {
      asked.push(wanted);
      return job;
    },
    list: async () => ({ items: [job], next: undefined }),
    cancel: async () => ({ ...job, isCancelling: true }),
    readEvents: async (_caller: unknown, _id: string, page: unknown) => {
      asked.push(page);
      return { events: ['{"id":"1"}'], next: '["t","é","s"]' };
    },
  } as unknown as ReturnType<typeof createRestore>;
  const endpoints = createRestoreEndpoints({ restores, clock: () => new Date(NOW) });
  const request = (body: string, query: object = {}) =>
    ({
      body: Buffer.from(body),
      headers: { "content-type": "application/json" },
      repeatedHeaders: [],
      query,
      parameters: { id: RESTORE },
      principal: { tenant: "acme", keyId: "k" },
      requestId: "r",
      deadline: Date.parse(NOW) + 29_000,
    }) as never;
  return { endpoints, request, asked };
}

const bodyOf = ({ body }: { body?: unknown }) => JSON.parse(String(body)) as Record<string, unknown>;

describe("the answers about restores", () => {
  it("a start answers the job and where its progress is, and keeps the digits of its filter", async () => {
    const { endpoints, request, asked } = underTest(
      restoreSample({ request: { filter: '{"data":{"n":[12345678901234567890]}}' } }),
    );

    const answer = await endpoints.startRestore(
      request('{"from":"2026-11-01","into":"live","filter":{"data":{"n":[12345678901234567890]}}}'),
    );

    expect(answer).toMatchObject({ status: 202, headers: { location: `restores/${RESTORE}` } });
    expect(answer.body).toContain('"filter":{"data":{"n":[12345678901234567890]}}');
    expect(asked).toEqual([{ from: "2026-11-01", into: "live", filter: '{"data":{"n":[12345678901234567890]}}' }]);
    expect(schemas.Restore.safeParse(bodyOf(answer)).error).toBeUndefined();
  });

  it("a dry run answers the manifests and starts nothing", async () => {
    const { endpoints, request } = underTest();

    const answer = await endpoints.startRestore(request(`{"manifests":["${MANIFEST}"],"into":"beside","dryRun":true}`));

    expect([answer.status, bodyOf(answer)]).toEqual([
      200,
      {
        state: "planned",
        planned: 3,
        bytes: 30,
        manifests: [{ key: MANIFEST, sha256: "a".repeat(64), rows: 3, known: true }],
      },
    ]);
  });

  it.each([
    ['{"from":"2026-11-01"}', "into"],
    ['{"from":"2026-02-30","into":"live"}', "from"],
    ['{"from":"yesterday","into":"live"}', "from"],
    ['{"manifests":["archive/x"],"into":"live"}', "manifests"],
    ['{"from":"2026-11-01","into":"live","retention":"1d"}', "retention"],
    ['{"from":"2026-11-01","into":"live","more":1}', "more"],
  ])("a body %s is refused, and the member %s is named", async (body, member) => {
    const { endpoints, request, asked } = underTest();

    await expect(endpoints.startRestore(request(body))).rejects.toSatisfy(
      (error: unknown) =>
        error instanceof RequestError && error.code === "malformed_body" && error.message.includes(member),
    );
    expect(asked).toEqual([]);
  });

  it("a list has neither manifests nor requests, and a job beside says until when it can be read", async () => {
    const job = restoreSample({
      state: "done",
      into: "beside",
      retention: undefined,
      finishedAt: NOW,
      manifests: [[MANIFEST, "a"]],
    });
    const { endpoints, request } = underTest(job);

    const list = bodyOf(await endpoints.listRestores(request("")));
    const one = bodyOf(await endpoints.readRestore(request("")));

    expect(schemas.Restores.safeParse(list).error).toBeUndefined();
    expect((list["restores"] as object[])[0]).not.toHaveProperty("manifests");
    expect(one).toMatchObject({
      readableUntil: "2026-12-08T10:00:00.000Z",
      manifests: [{ key: MANIFEST, sha256: "a" }],
    });
    expect(bodyOf(await underTest({ ...job, droppedAt: NOW }).endpoints.readRestore(request("")))).not.toHaveProperty(
      "readableUntil",
    );
  });

  it("events beside are read on from the cursor of the page before, and any other text is refused", async () => {
    const { endpoints, request, asked } = underTest();

    const page = bodyOf(await endpoints.readRestoredEvents(request("", { limit: 5 })));
    await endpoints.readRestoredEvents(request("", { after: page["next"] }));

    expect(page["events"]).toEqual([{ id: "1" }]);
    expect(asked).toEqual([
      { after: undefined, limit: 5 },
      { after: '["t","é","s"]', limit: 100 },
    ]);
    for (const after of [
      "%%",
      Buffer.from("[1,2,3]").toString("base64url"),
      Buffer.from('["a"]').toString("base64url"),
    ])
      await expect(endpoints.readRestoredEvents(request("", { after }))).rejects.toMatchObject({ code: "bad_cursor" });
  });

  it("a job that was asked to end says so while it runs", async () => {
    const { endpoints, request } = underTest();

    expect(bodyOf(await endpoints.cancelRestore(request("")))).toMatchObject({ state: "running", cancelling: true });
  });
});
