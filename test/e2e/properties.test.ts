import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, get, post, startTestRuntime, type TestRuntime } from "./support.ts";

let runtime: TestRuntime;
let url: string;
beforeAll(async () => {
  runtime = await startTestRuntime();
  url = runtime.addresses.url;
});
afterAll(() => runtime?.remove());

describe("random JSON values", () => {
  it("come back unchanged or are refused with a reason, each by itself", async () => {
    const values = fc.sample(fc.jsonValue({ stringUnit: "binary", maxDepth: 6 }), 400);
    const events = values.map((data) => ({ id: randomUUID(), source: "/random", type: "t", data }));

    const { body } = await post(url, events);

    const accepted = events.filter((_event, index) => body.results?.[index]?.status === "accepted");
    expect(accepted.length).toBeGreaterThan(300);
    for (const [index, each] of (body.results ?? []).entries()) {
      if (each.status === "invalid") expect(JSON.stringify(values[index])).toMatch(/\\u0000|\\ud[89a-f]|__proto__/);
    }
    for (const { id, data } of accepted) {
      const found = await eventually(
        () => get(`${url}/events/${id}`),
        ({ status }) => status === 200,
      );
      // Zero has no sign in PostgreSQL's numeric.
      expect(found.body.data).toEqual(
        JSON.parse(JSON.stringify(data, (_key, value: unknown) => (value === 0 ? 0 : value))),
      );
    }
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
        "ce-source": fc.stringMatching(/^[!-~]{1,10}$/),
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
        const answer = await fetch(`${url}/events`, {
          method: "POST",
          headers: { ...extra, ...(type !== "" && { "content-type": type }) },
          body: Buffer.from(bytes),
        });

        expect(answer.status).toBeLessThan(500);
        expect(answer.headers.get("content-type")).toMatch(/^application\/(problem\+)?json/);
      }),
      { numRuns: 400 },
    );

    expect(runtime.lines.filter((line) => /crash|"level":"ERROR"/.test(line))).toEqual([]);
  });
});
