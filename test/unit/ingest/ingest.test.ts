import * as fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as z from "zod";
import { type EventType, toCatalog } from "../../../functions/core/catalog.ts";
import { REQUEST_MAX_BYTES, REQUEST_MAX_EVENTS, VERDICT_MAX_ERRORS } from "../../../functions/core/limits.ts";
import { catalog as catalogTypes } from "./catalog.ts";
import { ingestTo, memoryQueue, NOW, order, PRODUCER } from "./support.ts";

describe("ingest", () => {
  it("accepts one event object and enqueues it with the time of receipt", async () => {
    const { queue, enqueued } = memoryQueue();

    const result = await ingestTo(queue)(order("o-1", { subject: "s", traceparent: "00-ab" }));

    expect(result).toEqual({
      kind: "enqueued",
      accepted: 1,
      rejected: 0,
      results: [{ index: 0, id: "o-1", status: "accepted" }],
    });
    expect(JSON.parse(enqueued[0]?.body ?? "")).toEqual({
      version: 1,
      tenant: "default",
      receivedAt: NOW,
      retention: 400,
      producer: PRODUCER,
      sequence: 1,
      events: [{ ...order("o-1"), subject: "s", time: NOW, extensions: { traceparent: "00-ab" } }],
    });
    expect(enqueued[0]?.group).toBe("default");
  });

  it("checks each event of an array by itself", async () => {
    const { queue, events } = memoryQueue();

    const result = await ingestTo(queue)([order("a"), { id: "b" }, "text", order("c"), order("a")]);

    expect(result.kind).toBe("partly");
    expect(result.results.map(({ index, id, status }) => [index, id, status])).toEqual([
      [0, "a", "accepted"],
      [1, "b", "invalid"],
      [2, undefined, "invalid"],
      [3, "c", "accepted"],
      [4, "a", "duplicate"],
    ]);
    expect(events().map(({ id }) => id)).toEqual(["a", "c"]);
  });

  it("refuses other content under the key of an event before it, and names that event", async () => {
    const { queue, events } = memoryQueue();
    const [first, other] = [order("a", { subject: "1" }), order("a", { subject: "2" })];

    const result = await ingestTo(queue)([order("b"), first, other, first, other, order("a", { source: "/other" })]);

    const conflict = {
      id: "a",
      status: "invalid",
      errors: [{ path: "/id", code: "id_conflict", message: expect.stringContaining("the event at index 1") }],
    };
    expect(result).toEqual({
      kind: "partly",
      accepted: 3,
      rejected: 2,
      results: [
        { index: 0, id: "b", status: "accepted" },
        { index: 1, id: "a", status: "accepted" },
        { index: 2, ...conflict },
        { index: 3, id: "a", status: "duplicate" },
        { index: 4, ...conflict },
        { index: 5, id: "a", status: "accepted" },
      ],
    });
    expect(events()).toMatchObject([{ id: "b" }, { id: "a", subject: "1" }, { id: "a", source: "/other" }]);
  });

  it("takes an event with other times or other spelling of its values for a copy", async () => {
    const text = (data: string, time: string) => `{"id":"a","source":"/s","type":"t","time":"${time}","data":${data}}`;

    const result = await ingestTo(memoryQueue().queue)(
      `[${text('{"n":1,"m":[12345678901234567890.0]}', NOW)},${text('{"m":[12345678901234567890],"n":1.0}', "2026-11-22T00:00:00Z")}]`,
    );

    expect(result.results.map(({ status }) => status)).toEqual(["accepted", "duplicate"]);
  });

  it("refuses a thousand events with other content than a large one before them", async () => {
    const large = order("a", { data: { ...order("a").data, pad: Array.from({ length: 20_000 }, (_, i) => i) } });

    const { results } = await ingestTo(memoryQueue().queue)([large, ...Array.from({ length: 999 }, () => order("a"))]);

    expect(results.filter(({ status }) => status === "invalid")).toHaveLength(999);
  });

  it("generates an id where none is sent", async () => {
    const { queue, events } = memoryQueue();

    const result = await ingestTo(queue)({ ...order("x"), id: undefined });

    expect(result.results[0]?.id).toBe("generated-1");
    expect(events()[0]?.id).toBe("generated-1");
  });

  it("accepts the same id from two sources", async () => {
    const result = await ingestTo(memoryQueue().queue)([order("a"), order("a", { source: "/other" })]);

    expect(result.results.map(({ status }) => status)).toEqual(["accepted", "accepted"]);
  });

  it("enqueues nothing when no event is valid", async () => {
    const { queue, enqueued } = memoryQueue();

    const result = await ingestTo(queue)([{}, 7]);

    expect(result).toMatchObject({ kind: "invalid", accepted: 0, rejected: 2 });
    expect(enqueued).toEqual([]);
  });

  it("reports retry for exactly the events of the messages that the queue did not confirm", async () => {
    const big = "x".repeat(200_000);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), async (refused) => {
        const { queue, events } = memoryQueue((_message, index) => refused[index] ?? false);
        const sent = Array.from({ length: 16 }, (_, i) =>
          order(`e-${i}`, { extra: "1", data: { ...order("o").data, big } }),
        );

        const result = await ingestTo(queue)([...sent, sent[0]]);

        const accepted = result.results.filter(({ status }) => status === "accepted").map(({ id }) => id);
        const retried = result.results
          .slice(0, 16)
          .filter(({ status }) => status === "retry")
          .map(({ id }) => id);
        expect(accepted).toEqual(events().map(({ id }) => id));
        expect([...accepted, ...retried].map(String).toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
        expect(result.results[16]?.status).toBe(refused[0] ? "retry" : "duplicate");
        expect(result.kind).toBe(accepted.length === 0 ? "unavailable" : retried.length === 0 ? "enqueued" : "partly");
      }),
      { numRuns: 16 },
    );
  });

  it("accepts the maximum number of events and refuses one more", async () => {
    const events = (n: number) => Array.from({ length: n }, (_, i) => order(`e-${i}`));

    const most = await ingestTo(memoryQueue().queue)(events(REQUEST_MAX_EVENTS));

    expect(most.accepted).toBe(REQUEST_MAX_EVENTS);
    await expect(ingestTo(memoryQueue().queue)(events(REQUEST_MAX_EVENTS + 1))).rejects.toMatchObject({
      code: "too_many_events",
      message: expect.stringContaining("1001 events"),
    });
  });

  it("accepts the largest body and refuses one byte more", async () => {
    const body = (bytes: number) => JSON.stringify(order("a")).padEnd(bytes, " ");

    expect((await ingestTo(memoryQueue().queue)(body(REQUEST_MAX_BYTES))).accepted).toBe(1);
    await expect(ingestTo(memoryQueue().queue)(body(REQUEST_MAX_BYTES + 1))).rejects.toMatchObject({
      code: "body_too_large",
    });
  });

  it.each([
    ["", "malformed_body"],
    ["[]", "malformed_body"],
    ['{"a":', "malformed_body"],
    [new Uint8Array([0x22, 0xff, 0x22]), "malformed_body"],
  ])("refuses the body %j as %s", async (body, code) => {
    await expect(ingestTo(memoryQueue().queue)(body)).rejects.toMatchObject({ code });
  });

  it.each([undefined, "text/plain", "application/jsonp", "application/", "__proto__"])(
    "refuses the content type %s and names the supported ones",
    async (contentType) => {
      const send = ingestTo(memoryQueue().queue);
      await expect(
        send(order("a"), contentType === undefined ? {} : { "content-type": contentType }),
      ).rejects.toMatchObject({
        code: "unsupported_media_type",
        message: expect.stringContaining("application/json"),
      });
    },
  );

  it("refuses a charset other than UTF-8", async () => {
    await expect(
      ingestTo(memoryQueue().queue)(order("a"), { "content-type": "application/json; charset=latin1" }),
    ).rejects.toMatchObject({ code: "unsupported_media_type", message: expect.stringContaining("Send UTF-8") });
  });

  it("enqueues nothing for a request that asks only for verdicts", async () => {
    const { queue, enqueued } = memoryQueue();

    const result = await ingestTo(queue)(
      [order("a"), {}],
      { "content-type": "application/json" },
      { validateOnly: true },
    );

    expect(result.results.map(({ status }) => status)).toEqual(["accepted", "invalid"]);
    expect(enqueued).toEqual([]);
  });

  it.each(["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'])(
    "accepts the content type %s",
    async (contentType) => {
      expect((await ingestTo(memoryQueue().queue)(order("a"), { "content-type": contentType })).accepted).toBe(1);
    },
  );

  it("checks an event of any depth by itself, and its neighbour too", async () => {
    for (const levels of [64, 900]) {
      const deep = `{"id":"d","source":"/s","type":"t","data":${"[".repeat(levels)}${"]".repeat(levels)}}`;

      const { results } = await ingestTo(memoryQueue().queue)(`[${JSON.stringify(order("a"))},${deep}]`);

      expect(results).toMatchObject([{ status: "accepted" }, { status: "invalid", errors: [{ code: "too_deep" }] }]);
    }
  });

  it("refuses a body over the limits of depth or values before it is parsed", async () => {
    const send = ingestTo(memoryQueue().queue);
    const parse = vi.spyOn(JSON, "parse");
    onTestFinished(() => parse.mockRestore());

    for (const levels of [1_001, 2_000_000]) {
      await expect(send(`${"[".repeat(levels)}${"]".repeat(levels)}`)).rejects.toMatchObject({
        code: "malformed_body",
      });
    }
    for (const body of [
      `[${"{},".repeat(300_000)}{}]`,
      `{"n":12345678901234567890,"data":[${"0,".repeat(400_000)}0]}`,
    ]) {
      await expect(send(body)).rejects.toMatchObject({
        code: "too_many_values",
        message: expect.stringContaining("300000"),
      });
    }
    await expect(
      send(`${"[0,0],".repeat(9)}\n`.repeat(200_000).slice(0, 4_000_000), { "content-type": "application/x-ndjson" }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^too_many/),
    });
    expect(parse).not.toHaveBeenCalled();
  });

  it("reports a line of NDJSON that is nested too deep as one invalid event", async () => {
    const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;

    const { results } = await ingestTo(memoryQueue().queue)(`${JSON.stringify(order("a"))}\n${deep}`, {
      "content-type": "application/x-ndjson",
    });

    expect(results).toMatchObject([{ status: "accepted" }, { status: "invalid", errors: [{ code: "too_deep" }] }]);
  });

  it("writes at most twenty messages an event for the worst bodies within the limits", async () => {
    let messages = 0;
    const error = () => `message ${(messages += 1)}`;
    const data = z.object({ items: z.array(z.object({ sku: z.string({ error }), quantity: z.int({ error }) })) });
    const catalog = toCatalog([{ file: "catalog/t.ts", type: "t", dataschema: "urn:t", data }]);
    const events = (count: number, items: number) =>
      Array.from({ length: count }, (_, i) => ({
        id: `e-${i}`,
        source: "/s",
        type: "t",
        data: { items: Array.from({ length: items }, () => ({})) },
      }));

    const many = await ingestTo(memoryQueue().queue, { catalog })(events(1_000, 100));
    const large = await ingestTo(memoryQueue().queue, { catalog })(events(2, 70_000));

    expect([many.rejected, large.rejected]).toEqual([1_000, 2]);
    expect(messages).toBe(1_002 * VERDICT_MAX_ERRORS);
  });

  it("answers any other bytes with verdicts or a known error code", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.uint8Array()), async (body) => {
        const outcome = await ingestTo(memoryQueue().queue)(body).catch((error: { code: string }) => error.code);
        if (typeof outcome === "string") expect(["malformed_body", "too_many_events"]).toContain(outcome);
        else expect(outcome.accepted).toBe(0);
      }),
    );
  });
});

describe("the retention of events", () => {
  it("is that of the type in the catalog, a message for each class, and numbers follow the messages", async () => {
    const { queue, enqueued } = memoryQueue();
    const week = { ...catalogTypes.get("com.example.order.placed")?.[0], retention: "7d" } as EventType;
    const types = new Map([...catalogTypes, ["com.example.order.placed", [week]]]);
    const other = (id: string) => ({ ...order(id), type: "com.example.other" });

    await ingestTo(queue, { catalog: types, retention: "keep" })([other("a"), order("b"), other("c"), order("d")]);

    const messages = enqueued.map(
      ({ body }) => JSON.parse(body) as Record<string, unknown> & { events: { id: string }[] },
    );
    expect(
      messages.map(({ retention, sequence, events }) => ({ retention, sequence, ids: events.map(({ id }) => id) })),
    ).toEqual([
      { retention: 0, sequence: 1, ids: ["a", "c"] },
      { retention: 7, sequence: 3, ids: ["b", "d"] },
    ]);
  });
});
