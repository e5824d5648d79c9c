import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { AuditEntry } from "../../../functions/core/access.ts";
import type { RequestError } from "../../../functions/core/errors.ts";
import type { EditableDeadLetter, NewReplay, ReplayJobs, ReplayStep } from "../../../functions/core/replay-job.ts";
import { REPLAY_MAX_UNFINISHED } from "../../../functions/core/replay-limits.ts";
import { createReplayEndpoints } from "../../../functions/replay/endpoints.ts";
import { createReplay } from "../../../functions/replay/replay.ts";
import { memoryJobStarts } from "../../support/memory-job-starts.ts";
import { JOB_ID, jobSample, NOW, outage } from "./support.ts";

const DEAD_LETTER = `dl_${"a".repeat(32)}`;
const DEEP = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
const OTHER_QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/other";

const editable = (changes: Partial<EditableDeadLetter> = {}): EditableDeadLetter => ({
  id: DEAD_LETTER,
  tenant: "acme",
  source: "/s",
  eventId: "e-1",
  receivedAt: "2026-11-28T09:00:00.000Z",
  origin: undefined,
  traceparent: undefined,
  eventTraceparent: undefined,
  isEvent: true,
  ...changes,
});

/** The endpoints over fakes. */
function underTest({
  found = [editable()],
  unfinished = 0,
  state = "running" as const,
  confirms = true,
  planned = 3,
  newId = () => JOB_ID,
} = {}) {
  const world = { confirms, planned, fails: false };
  const calls: string[] = [];
  const started: NewReplay[] = [];
  const audited: Pick<AuditEntry, "tenant" | "who" | "action" | "target" | "details">[] = [];
  const steps: ReplayStep[] = [];
  const jobs: ReplayJobs = {
    plan: async (scope, request) => {
      calls.push(`plan ${JSON.stringify(scope)} ${JSON.stringify(request)}`);
      return { planned: world.planned, until: NOW, sample: [] };
    },
    findEditable: async (_scope, ids) => found.filter(({ id }) => ids.includes(id)),
    start: async (job) => {
      if (world.fails) throw outage();
      calls.push("start");
      started.push(job);
      const { edits: _edits, ...kept } = job;
      return jobSample(kept);
    },
    read: async (tenant, id) => {
      if (tenant === "acme" && id === JOB_ID) return jobSample({ state });
      return started.some((job) => job.tenant === tenant && job.id === id) ? jobSample({ id, state }) : undefined;
    },
    list: async () => ({ items: [jobSample({ request: {} })], next: undefined }),
    countUnfinished: async () => unfinished,
    cancel: async () => jobSample({ isCancelling: true }),
  };
  const checks = {
    catalog: new Map([["known", [{ file: "f", type: "known", data: z.object({ n: z.number() }) }]]]),
    unknownTypes: "accept" as const,
    unknownVersions: "accept" as const,
  };
  const endpoints = createReplayEndpoints({
    replays: createReplay({
      jobs,
      steps: {
        send: async (step) => {
          calls.push("step");
          if (world.confirms) steps.push(step);
          return world.confirms;
        },
      },
      audit: {
        append: async (entry) => {
          calls.push("audit");
          audited.push(entry);
          return { ...entry, number: 1, previous: "", hash: "" };
        },
      },
      clock: () => new Date(NOW),
      newId,
      starts: memoryJobStarts({ clock: () => new Date(NOW) }),
      checks,
      queues: [OTHER_QUEUE],
    }),
    clock: () => new Date(NOW),
  });
  const request = (
    body: unknown,
    principal: Partial<{ keyTenant: string; types: string[]; keyId: string }> = {},
    key?: string,
  ) => ({
    method: "POST",
    path: "/",
    headers: { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) },
    repeatedHeaders: [],
    parameters: { id: JOB_ID },
    query: {},
    principal: {
      tenant: "acme",
      keyId: "keyOfReplay0",
      keyTenant: "acme",
      role: "operator" as const,
      types: undefined,
      sources: undefined,
      ...principal,
    },
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    inflated: false,
    requestId: "r-1",
    deadline: Date.parse(NOW) + 60_000,
  });
  type Request = Parameters<typeof endpoints.startReplay>[0];
  const post = (name: "startReplay" | "discardDeadLetters", ...given: Parameters<typeof request>) =>
    endpoints[name](request(...given) as unknown as Request);
  return {
    world,
    calls,
    started,
    audited,
    steps,
    endpoints,
    request: (body: unknown) => request(body) as unknown as Request,
    post,
  };
}

const refusalOf = async (answer: () => Promise<unknown>): Promise<string> => {
  try {
    await answer();
  } catch (error) {
    const { code, message } = error as RequestError;
    return `${code}: ${message}`;
  }
  return "accepted";
};

describe("the start of a replay", () => {
  it("a replay is planned and audited before its message is sent, and its message before it is written", async () => {
    const test = underTest();

    const { status, headers, body } = await test.post("startReplay", {
      filter: { data: { n: [{ numeric: ["=", 1] }] } },
      reason: "not_storable",
      sqlState: ["22P05", "23514"],
      limit: 2,
      rate: 5,
    });

    const request = {
      filter: '{"data":{"n":[{"numeric":["=",1]}]}}',
      reasons: ["not_storable"],
      sqlStates: ["22P05", "23514"],
      limit: 2,
      rate: 5,
      maxReplays: 5,
    };
    expect([status, headers]).toEqual([202, { location: `replays/${JOB_ID}` }]);
    expect(test.calls).toEqual([
      `plan {"tenant":"acme","allowed":{}} ${JSON.stringify(request)}`,
      "audit",
      "step",
      "start",
    ]);
    expect(test.started).toMatchObject([
      { id: JOB_ID, action: "replay", tenant: "acme", request, planned: 3, edits: [] },
    ]);
    expect(test.audited).toMatchObject([
      {
        tenant: "acme",
        who: "keyOfReplay0",
        action: "replay.start",
        target: JOB_ID,
        details: { ...request, planned: 3 },
      },
    ]);
    expect(JSON.parse(body)).toMatchObject({
      id: JOB_ID,
      state: "running",
      planned: 3,
      sent: 0,
      stored: 0,
      deadLettered: 0,
    });
  });

  it("times that PostgreSQL refuses as they are sent become the same instants in UTC, or the nearest that it has", async () => {
    const test = underTest();

    await test.post("startReplay", { openedFrom: "0000-01-01T00:00:00Z", openedTo: "2016-12-31T23:59:60.5Z" });
    await test.post("startReplay", { openedFrom: "2026-11-21T23:00:00+23:00" });

    expect(test.started.map(({ request }) => request.opened)).toEqual([
      { from: "0001-01-01T00:00:00.000000Z", to: "2017-01-01T00:00:00.500000Z" },
      { from: "2026-11-21T00:00:00.000000Z" },
    ]);
  });

  it("a dry run says how many there are, and starts nothing", async () => {
    const test = underTest();

    const { status, body } = await test.post("startReplay", { dryRun: true });

    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      state: "planned",
      planned: 3,
      until: NOW,
      sent: 0,
      stored: 0,
      deadLettered: 0,
      sample: [],
    });
    expect([test.started, test.audited, test.steps]).toEqual([[], [], []]);
  });

  it("a replay whose message the queue does not confirm did not begin", async () => {
    const test = underTest({ confirms: false });

    expect(await refusalOf(() => test.post("startReplay", {}))).toMatch(/^queue_unavailable: Nothing began/);
    expect(test.started).toEqual([]);
  });

  it("a tenant has a bound of jobs that are not finished", async () => {
    const test = underTest({ unfinished: REPLAY_MAX_UNFINISHED });

    expect(await refusalOf(() => test.post("startReplay", {}))).toMatch(
      /^too_many_replays: The tenant has 10 .* cancel/,
    );
    expect(test.audited).toEqual([]);
  });

  it.each<[string, object | string, RegExp]>([
    ["an unknown member", { reasons: ["x"] }, /^malformed_body: .*unknown member reasons/],
    ["an id that is none", { ids: ["a"] }, /^malformed_body: .*ids\.0: is no id of a dead letter/],
    [
      "times in the wrong order",
      { openedFrom: NOW, openedTo: NOW },
      /^malformed_body: .*openedTo: is not after openedFrom/,
    ],
    ["a text with U+0000", { reason: "a\u0000" }, /^malformed_body: .*reason/],
    ["a rate of nothing", { rate: 0 }, /^malformed_body: .*rate/],
    ["a bad filter", { filter: { like: 1 } }, /^bad_filter: /],
    [
      "ids beside edits",
      { ids: [DEAD_LETTER], edits: [{ id: DEAD_LETTER, event: {} }] },
      /^malformed_body: .*Leave out `ids`/,
    ],
    ["a filter of ten thousand levels", `{"filter":${DEEP}}`, /^malformed_body: The body is nested too deep/],
    [
      "an edit of ten thousand levels",
      `{"edits":[{"id":"${DEAD_LETTER}","event":{"type":"t","data":${DEEP}}}]}`,
      /^malformed_body: The body is nested too deep/,
    ],
    ["another queue, for a key of a tenant", { to: OTHER_QUEUE }, /^malformed_body: .*only a key of the installation/],
  ])("%s is refused, and says what is wrong", async (_name, body, expected) => {
    const test = underTest();

    expect(await refusalOf(() => test.post("startReplay", body))).toMatch(expected);
    expect(test.started).toEqual([]);
  });

  it("a key of the installation sends to the other queues of the stage, and to no further one", async () => {
    const test = underTest();
    const of = { keyTenant: "*" };

    expect(await refusalOf(() => test.post("startReplay", { to: `${OTHER_QUEUE}2` }, of))).toMatch(
      /^malformed_body: .*none of the stage's replayQueues/,
    );
    expect((await test.post("startReplay", { to: OTHER_QUEUE }, of)).status).toBe(202);
  });
});

describe("the start of what a plan has counted", () => {
  it("a job takes no more than its plan had, or than its own limit", async () => {
    const test = underTest();

    await test.post("startReplay", { planned: 3 });
    await test.post("discardDeadLetters", { planned: 4, limit: 2, reason: "x", note: "n" });

    expect(test.started.map(({ request }) => request.limit)).toEqual([3, 2]);
  });

  it("where more match by now, nothing begins", async () => {
    const test = underTest();

    for (const [name, body] of [
      ["startReplay", { planned: 2 }],
      ["discardDeadLetters", { planned: 2, reason: "x", note: "n" }],
    ] as const)
      expect(await refusalOf(() => test.post(name, body))).toMatch(/^plan_changed: 3 match now, and the plan had 2/);
    expect([test.started, test.audited, test.steps]).toEqual([[], [], []]);
  });
});

describe("the start of a job under an idempotency key", () => {
  let made = 0;
  const newId = () => `rpl_${String((made += 1)).padStart(32, "0")}`;
  const idOf = ({ body }: { body: string }) => (JSON.parse(body) as { id: string }).id;
  const CASES = [
    ["startReplay", { rate: 5 }],
    ["discardDeadLetters", { reason: "x", note: "n" }],
  ] as const;

  it.each(CASES)(
    "%s: a request that is sent again answers the job that it has started, and starts no second one",
    async (name, body) => {
      const test = underTest({ newId });

      const first = await test.post(name, body, {}, "a");
      // By now it has taken them.
      test.world.planned = 0;
      const second = await test.post(name, body, {}, "a");

      expect([second.status, idOf(second)]).toEqual([202, idOf(first)]);
      expect([test.started.length, test.audited.length, test.steps.length]).toEqual([1, 1, 1]);
    },
  );

  it.each(CASES)("%s: another key, and the same text of another caller, starts another job", async (name, body) => {
    const test = underTest({ newId });

    const ids = [
      idOf(await test.post(name, body, {}, "a")),
      idOf(await test.post(name, body, {}, "b")),
      idOf(await test.post(name, body, { keyId: "otherKey0000" }, "a")),
      idOf(await test.post(name, body)),
    ];

    expect(new Set(ids).size).toBe(4);
  });

  it("another request under the key is refused, and names the job", async () => {
    const test = underTest({ newId });
    const id = idOf(await test.post("startReplay", { rate: 5 }, {}, "a"));

    expect(await refusalOf(() => test.post("startReplay", { rate: 6 }, {}, "a"))).toMatch(
      new RegExp(`^idempotency_key_reused: .*${id}`),
    );
    expect(test.started.length).toBe(1);
  });

  it("a request that was refused leaves its key free for another body", async () => {
    const test = underTest({ newId, confirms: false });
    expect(await refusalOf(() => test.post("startReplay", {}, {}, "a"))).toMatch(/^queue_unavailable/);
    expect(await refusalOf(() => test.post("startReplay", { planned: 1 }, {}, "a"))).toMatch(/^plan_changed/);

    test.world.confirms = true;
    await test.post("startReplay", { rate: 7 }, {}, "a");

    expect(test.started.map(({ request }) => request.rate)).toEqual([7]);
  });

  it("a request that failed, so that nobody knows whether it began, goes on under its id", async () => {
    const test = underTest({ newId });
    test.world.fails = true;
    await expect(test.post("startReplay", {}, {}, "a")).rejects.toThrow("database_unavailable");

    test.world.fails = false;
    const id = idOf(await test.post("startReplay", {}, {}, "a"));

    expect(test.audited.map(({ target }) => target)).toEqual([id, id]);
    expect(test.started.length).toBe(1);
  });

  it("a key that is no visible ASCII is refused", async () => {
    const test = underTest();

    expect(await refusalOf(() => test.post("startReplay", {}, {}, "é"))).toMatch(/^bad_header: Idempotency-Key/);
  });
});

describe("corrected events", () => {
  const edits = (event: object, id = DEAD_LETTER) => ({ edits: [{ id, event }] });

  it("a corrected event becomes the message that is sent, with its source, id and time of receipt, and every digit", async () => {
    const test = underTest();
    const body = `{"edits":[{"id":"${DEAD_LETTER}","event":{"type":"new","time":"2026-11-28T08:00:00Z","data":{"n":12345678901234567890.50},"ext":"x"}}]}`;

    await test.post("startReplay", body);

    expect(test.started[0]?.request.ids).toEqual([DEAD_LETTER]);
    const [edit] = test.started[0]?.edits ?? [];
    expect(edit?.body).toContain('"n":12345678901234567890.50');
    expect(JSON.parse(edit?.body ?? "")).toMatchObject({
      version: 1,
      tenant: "acme",
      receivedAt: "2026-11-28T09:00:00.000Z",
      events: [{ id: "e-1", source: "/s", type: "new", time: "2026-11-28T08:00:00Z", extensions: { ext: "x" } }],
    });
  });

  it("a corrected event keeps the number of its dead letter", async () => {
    const origin = { producer: "0mi2x0000aaaaaaaaaaaa", sequence: 7 };
    const test = underTest({ found: [editable({ origin })] });

    await test.post("startReplay", edits({ type: "new", data: 1 }));

    expect(JSON.parse(test.started[0]?.edits[0]?.body ?? "")).toMatchObject(origin);
  });

  it("a corrected event stays in the first trace of its dead letter", async () => {
    const traces = {
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      eventTraceparent: `00-${"a".repeat(32)}-${"c".repeat(16)}-01`,
    };
    const test = underTest({ found: [editable(traces)] });

    await test.post("startReplay", edits({ type: "new", data: 1 }));

    expect(JSON.parse(test.started[0]?.edits[0]?.body ?? "")).toMatchObject(traces);
  });

  it.each<[string, object, RegExp]>([
    [
      "another source",
      { type: "t", source: "/other", data: 1 },
      /has another source than its dead letter; leave source out/,
    ],
    ["another id", { type: "t", id: "e-2", data: 1 }, /has another id than its dead letter/],
    ["no type", { data: 1 }, /\/type is missing/],
    ["data that its schema refuses", { type: "known", data: { n: "1" } }, /\/data\/n .*number/],
    ["text that cannot be stored", { type: "t", data: "a\u0000" }, /\/data contains U\+0000/],
    [
      "a type that the key may not send",
      { type: "com.other", data: 1 },
      /\/type com\.other is not what the key may send/,
    ],
  ])("an event with %s is refused by its place and id", async (_name, event, expected) => {
    const test = underTest();

    const refusal = await refusalOf(() => test.post("startReplay", edits(event), { types: ["t", "known"] }));

    expect(refusal).toMatch(new RegExp(`^bad_edits: Nothing was replayed\\. edits\\.0 \\(${DEAD_LETTER}\\) `));
    expect(refusal).toMatch(expected);
    expect(test.started).toEqual([]);
  });

  it("the errors of an event are as in its verdict, so that a form can show each at its field; in a dry run too", async () => {
    const test = underTest();
    const event = { type: "known", data: { n: "1" } };

    for (const dryRun of [false, true]) {
      const thrown: unknown = await test
        .post("startReplay", { ...edits(event), dryRun }, { types: ["known"] })
        .catch((error: unknown) => error);

      expect(thrown).toMatchObject({
        code: "bad_edits",
        members: { edits: [{ index: 0, id: DEAD_LETTER, errors: [{ path: "/data/n", code: "invalid_type" }] }] },
      });
    }
    expect(test.started).toEqual([]);
  });

  it("each bad one is named, and one that is not open or no event among them", async () => {
    const whole = `dl_${"b".repeat(32)}`;
    const test = underTest({ found: [editable(), editable({ id: whole, isEvent: false })] });
    const event = { type: "t", data: 1 };
    const absent = `dl_${"c".repeat(32)}`;

    const refusal = await refusalOf(() =>
      test.post("startReplay", { edits: [DEAD_LETTER, DEAD_LETTER, whole, absent].map((id) => ({ id, event })) }),
    );

    expect(refusal).not.toContain("edits.0 ");
    expect(refusal).toContain(`edits.1 (${DEAD_LETTER}) is there twice`);
    expect(refusal).toContain(`edits.2 (${whole}) is a whole message that cannot be read`);
    expect(refusal).toContain(`edits.3 (${absent}) is no open dead letter`);
  });
});

describe("a discard", () => {
  it("a discard is a job with a note, which the audit log keeps", async () => {
    const test = underTest();

    const { status, headers } = await test.post("discardDeadLetters", {
      reason: "not_storable",
      note: "broken device",
    });

    expect([status, headers]).toEqual([202, { location: `../replays/${JOB_ID}` }]);
    expect(test.started).toMatchObject([
      { action: "discard", request: { reasons: ["not_storable"], note: "broken device" } },
    ]);
    expect(test.audited).toMatchObject([{ action: "dead-letters.discard.start", details: { note: "broken device" } }]);
  });

  it.each<[object, RegExp]>([
    [{ reason: "x" }, /note/],
    [{ reason: "x", note: "" }, /note: is empty/],
    [{ note: "all" }, /it would discard everything/],
    [{ note: "all", limit: 5 }, /it would discard everything/],
  ])("a discard %j is refused", async (body, expected) => {
    expect(await refusalOf(() => underTest().post("discardDeadLetters", body))).toMatch(expected);
  });
});

describe("the cancel of a replay", () => {
  it("a cancel is audited before the job is asked to end, and wakes its step", async () => {
    const test = underTest();

    const { body } = await test.endpoints.cancelReplay(test.request({}) as never);

    expect(test.calls).toEqual(["audit", "step"]);
    expect(JSON.parse(body)).toMatchObject({ cancelling: true, state: "running" });
  });

  it("a replay that is done cannot be cancelled, and one that is cancelled stays so", async () => {
    const cancelled = underTest({ state: "cancelled" as never });

    expect(await refusalOf(() => done().endpoints.cancelReplay(done().request({}) as never))).toMatch(
      /^replay_finished/,
    );
    expect((await cancelled.endpoints.cancelReplay(cancelled.request({}) as never)).status).toBe(200);
    expect(cancelled.audited).toEqual([]);
  });

  const done = () => underTest({ state: "done" as never });
});
