import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { call, get, post } from "../support/http.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let url: string;
let source: string;
beforeAll(async () => {
  target = await openTarget({ own: true });
  ({ url, source } = target);
});
afterAll(() => target?.close());

/** A deployed stack is some hundred milliseconds away. */
const AT_ONCE = 10;

describe("random JSON values", () => {
  it("come back unchanged or are refused with a reason, each by itself", async () => {
    const values = fc.sample(fc.jsonValue({ stringUnit: "binary", maxDepth: 6 }), 400);
    const events = values.map((data) => ({ id: randomUUID(), source, type: "t", data }));

    const { body } = await post(url, events);

    const accepted = events.filter((_event, index) => body.results?.[index]?.status === "accepted");
    expect(accepted.length).toBeGreaterThan(300);
    for (const [index, each] of (body.results ?? []).entries()) {
      if (each.status === "invalid") expect(JSON.stringify(values[index])).toMatch(/\\u0000|\\ud[89a-f]|__proto__/);
    }
    const found = new Map<string, unknown>();
    for (let at = 0; at < accepted.length; at += AT_ONCE) {
      const reads = accepted.slice(at, at + AT_ONCE).map(async ({ id }) => {
        const { body } = await eventually(
          () => get(`${url}/events/${id}`),
          ({ status }) => status === 200,
        );
        found.set(id, body.data);
      });
      await Promise.all(reads);
    }
    for (const { id, data } of accepted) {
      // Zero has no sign in PostgreSQL's numeric.
      expect(found.get(id)).toEqual(
        JSON.parse(JSON.stringify(data, (_key, value: unknown) => (value === 0 ? 0 : value))),
      );
    }
  });
});

describe("a list of events", () => {
  it("gets the same verdicts and the same rows however it is split into requests", async () => {
    const texts = fc.sample(
      fc.oneof(
        fc.json(),
        fc.bigInt().map(String),
        fc.integer({ min: 60, max: 70 }).map((levels) => "[".repeat(levels) + "]".repeat(levels)),
        fc.constantFrom('"\\u0000"', "1e1100", '{"__proto__":1}', "0.1000000000000000055511151231257827"),
      ),
      60,
    );
    const sources = [`${source}/1`, `${source}/2`];
    const event = (index: number, source = "") =>
      `{"id":"${index}","source":"${source}","type":"t","data":${texts[index]}}`;
    const statuses: string[][] = [];
    for (const [way, source] of sources.entries()) {
      const verdicts: string[] = [];
      for (let at = 0; at < texts.length; ) {
        const size = way === 0 ? texts.length : 1 + ((at * 7) % 11);
        const part = texts.slice(at, at + size).map((_text, index) => event(at + index, source));
        const { body } = await post(url, `[${part.join(",")}]`);
        verdicts.push(...(body.results ?? []).map(({ status }) => status));
        at += part.length;
      }
      statuses.push(verdicts);
    }

    expect(statuses[1]).toEqual(statuses[0]);
    const rows = (source = "") =>
      target.sql(`select id, data::text from events where source = '${source}' order by id`);
    const accepted = statuses[0]?.filter((status) => status === "accepted").length ?? 0;
    expect(accepted).toBeGreaterThan(20);
    await eventually(
      () => rows(sources[1]),
      (found) => found.length === accepted,
    );
    expect(await rows(sources[1])).toEqual(
      await eventually(
        () => rows(sources[0]),
        (found) => found.length === accepted,
      ),
    );
  });
});

describe("random bytes", () => {
  it("never get a 5xx and never crash a process, whatever is said of them", async () => {
    const contentType = fc.constantFrom(
      "application/json",
      "application/x-ndjson",
      "application/cloudevents+json",
      "application/cloudevents-batch+json",
      "text/plain",
      "",
    );
    const headers = fc.record(
      {
        "ce-specversion": fc.constantFrom("1.0", "0.3"),
        "ce-id": fc.stringMatching(/^[!-~]{1,10}$/),
        "ce-type": fc.stringMatching(/^[!-~]{1,10}$/),
        "ce-source": fc.stringMatching(/^[!-~]{1,10}$/).map((end) => `${source}${end}`),
        "ce-subject": fc.stringMatching(/^[%!-~]{1,10}$/),
      },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );

    await fc.assert(
      fc.asyncProperty(contentType, headers, body, async (type, extra, bytes) => {
        const answer = await call(`${url}/events`, {
          method: "POST",
          headers: { ...extra, ...(type !== "" && { "content-type": type }) },
          body: Buffer.from(bytes),
        });

        expect(answer.status).toBeLessThan(500);
        expect(answer.headers.get("content-type")).toMatch(/^application\/(problem\+)?json/);
      }),
      { numRuns: 400 },
    );

    expect(target.logged().filter((line) => /crash|"level":"ERROR"/.test(line))).toEqual([]);
  });
});
