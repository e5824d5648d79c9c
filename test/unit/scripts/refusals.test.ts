import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeApi, startFakeApi } from "../../support/fake-api.ts";
import { refusalAnswer, refusalSample } from "../../support/refusal-samples.ts";
import { runScript } from "../../support/run-script.ts";

let api: FakeApi;
beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(() => api.stop());

const renamed = refusalAnswer({
  count: 412,
  pointer: "/data/customerId",
  samples: [
    refusalSample({
      source: "/checkout",
      userAgent: "checkout/3.4.0",
      id: "order-77",
      members: { customerID: "string(5)", items: "array(2)" },
    }),
  ],
});
const refused = refusalAnswer({ code: "malformed_body", type: undefined, pointer: "", samples: [] });

const pages = (...groups: unknown[][]) =>
  api.answer(({ query }) => {
    const page = Number(query["cursor"] ?? 0);
    return { body: { groups: groups[page], next: page + 1 < groups.length ? String(page + 1) : null } };
  });

const run = (...args: string[]) => runScript("refusals", [...args, ...api.flags]);

describe("npm run refusals", () => {
  it("prints the groups of all pages with the sender of their latest sample", async () => {
    pages([renamed], [refused]);

    const { code, stdout, stderr } = await run(
      "--code",
      "required",
      "--type",
      "com.*",
      "--pointer",
      "/data/customerId",
    );

    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["DAY", "COUNT", "LAST", "CODE", "TYPE", "POINTER", "KEY", "SOURCE", "USER AGENT"],
      [
        renamed.day,
        "412",
        renamed.last,
        "required",
        "com.example.order.placed",
        "/data/customerId",
        "4fQ0v7xYbN2k",
        "/checkout",
        "checkout/3.4.0",
      ],
      [refused.day, "1", refused.last, "malformed_body"],
    ]);
    expect(stderr).toBe("413 refusals in 2 groups\n");
    expect(api.requests.map(({ path, query }) => [path, query])).toEqual([
      ["/refusals", { code: "required", type: "com.*", pointer: "/data/customerId" }],
      ["/refusals", { code: "required", type: "com.*", pointer: "/data/customerId", cursor: "1" }],
    ]);
  });

  it("prints samples with the members around the error, and the tenant where there are several", async () => {
    pages([renamed, refusalAnswer({ tenant: "other" })]);

    const { stdout } = await run("--samples");

    const [head, first] = stdout.split("\n");
    expect(head).toMatch(/^TENANT +AT +CODE +TYPE +POINTER +KEY +SOURCE +USER AGENT +ID +MEMBERS$/);
    expect(first).toMatch(/^acme .* order-77 +customerID string\(5\), items array\(2\)$/);
  });

  it("prints JSON, and no more groups than asked for", async () => {
    pages([renamed, refused], [renamed]);

    const { stdout } = await run("--json", "--limit", "1");

    expect(JSON.parse(stdout)).toEqual([renamed]);
    expect(api.requests).toHaveLength(1);
  });

  it("says what the API says, with exit code 2", async () => {
    const detail = "from is no day such as 2026-11-29.";
    api.answer(() => ({
      status: 400,
      body: { title: "t", status: 400, code: "bad_parameter", detail, requestId: "r" },
    }));

    expect(await run("--from", "yesterday")).toMatchObject({ code: 2, stderr: expect.stringContaining(detail) });
  });
});
