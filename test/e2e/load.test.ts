import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target?.close());

type Report = {
  events: number;
  accepted: number;
  refused: number;
  refusedWithoutMistake: number;
  refusedByCode: Record<string, number>;
  readableMs: { probes: number };
  stored: number;
  lost: number;
};

describe("npm run load", () => {
  it("sends valid events of every type of the catalog and bad ones, and finds each accepted one in the database", async () => {
    const words = ["--rate", "60", "--for", "5s", "--bad", "20", "--json"];

    const { code, stdout, stderr } = await target.run("load", ...words);

    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as Report;
    const [, source] = /the source (\S+)/.exec(stderr) ?? [];
    const [row] = await target.sql(
      `select count(*)::int as events, count(distinct type)::int as types from events where source = '${source}'`,
    );
    expect(report).toMatchObject({ events: 300, refusedWithoutMistake: 0, lost: 0, stored: row?.["events"] });
    expect(report.accepted).toBe(row?.["events"]);
    expect(report.accepted + report.refused).toBe(300);
    expect(Object.keys(report.refusedByCode)).toEqual(expect.arrayContaining(["required", "invalid_type"]));
    expect(report.readableMs.probes).toBeGreaterThan(0);
    expect(row?.["types"]).toBe(4);
  });
});
