import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hold, releasedHold } from "../../../functions/api-docs/hold-examples.ts";
import { callScript } from "../../support/call-script.ts";
import { startFakeApi } from "../../support/fake-api.ts";

let api: Awaited<ReturnType<typeof startFakeApi>>;
beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(() => api.stop());

const holds = (...args: string[]) => callScript("holds", [...args, ...api.flags]);

describe("npm run holds", () => {
  it("ls prints every page of the holds, with their state and filter", async () => {
    const pages = [{ holds: [hold], next: hold.id }, { holds: [{ ...releasedHold, filter: undefined }] }];
    api.answer(({ query }) => ({ body: pages[query["after"] === undefined ? 0 : 1] }));

    const { code, stdout } = await holds("ls", "--tenant", "acme");

    expect(code).toBe(0);
    expect(
      stdout.split("\n").map((line) => line.split(/ {2,}/).slice(1, 2).concat(line.split(/ {2,}/).slice(-1))),
    ).toEqual([
      ["STATE", "FILTER"],
      ["active", '{"exact":{"subject":"customer-17"}}'],
      ["released", "every event"],
      [""],
    ]);
    expect(api.requests.map(({ headers }) => headers["sluice-tenant"])).toEqual(["acme", "acme"]);
  });

  it("create sends the filter of its options and says how many events match", async () => {
    api.answer(() => ({ status: 201, body: { ...hold, matches: { count: 10_000, complete: false, events: [] } } }));

    const { code, stdout } = await holds(
      "create",
      "--type",
      "a.*",
      "--until",
      "2099-01-01T00:00:00Z",
      "--reason",
      "case 7",
    );

    expect(code).toBe(0);
    expect(stdout).toContain(hold.id);
    expect(stdout).toContain("at least 10000 events that are stored now match");
    expect(JSON.parse(api.requests[0]?.body ?? "")).toEqual({
      filter: { prefix: { type: "a." } },
      reason: "case 7",
      until: "2099-01-01T00:00:00Z",
    });
  });

  it.each([[["create", "--reason", "r"]], [["create", "--reason", "r", "--all", "--type", "a"]]])(
    "%j is refused, because it does not say which events",
    async (args) => {
      api.answer(() => ({ status: 500 }));

      expect(await holds(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining("--all of the tenant") });
      expect(api.requests).toEqual([]);
    },
  );

  it("release sends the reason and prints the hold as it is", async () => {
    api.answer(() => ({ body: releasedHold }));

    const { stdout } = await holds("release", hold.id, "--reason", "closed", "--json");

    expect(JSON.parse(stdout)).toEqual(releasedHold);
    expect(api.requests[0]).toMatchObject({
      method: "POST",
      path: `/holds/${hold.id}/release`,
      body: '{"reason":"closed"}',
    });
  });
});
