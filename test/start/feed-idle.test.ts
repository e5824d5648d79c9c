import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { call, post } from "../support/http.ts";
import { startScript } from "../support/run-script.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

let runtime: TestRuntime;
let url: string;
beforeAll(async () => {
  runtime = await startTestRuntime();
  ({ url } = runtime.addresses);
});
afterAll(() => runtime?.remove());

async function ask(query: Record<string, string>): Promise<{ events: { id: string }[]; next: string }> {
  const response = await call(`${url}/feed?${new URLSearchParams(query).toString()}`);
  return (await response.json()) as { events: { id: string }[]; next: string };
}

/** The last time at which a session of the reader began or ended a statement. */
const lastRead = async () => {
  const [row] = await runtime.query(
    "select max(state_change)::text as at from pg_stat_activity where usename in ('sluice_reader_1', 'sluice_reader_2')",
  );
  return row?.["at"];
};

const event = (id: string) => ({ id, source: "/idle", type: "com.example.idle", data: {} });

describe("an open follower", () => {
  it("an open follower without new events lets the database sleep, and gets the next event all the same", async () => {
    await post(url, event("first"));
    const first = await eventually(
      () => ask({ after: "start" }),
      ({ events }) => events.length > 0,
    );
    // The consumer changes the mark after its commit, so it may have come behind this read.
    let { next } = await ask({ after: first.next, wait: "3" });
    const before = await lastRead();

    for (let request = 0; request < 3; request++) {
      const answer = await ask({ after: next, wait: "2" });
      expect(answer.events).toEqual([]);
      ({ next } = answer);
    }

    expect(before).toEqual(expect.any(String));
    expect(await lastRead()).toBe(before);
    const waiting = ask({ after: next, wait: "20" });
    await post(url, event("second"));
    expect((await waiting).events.map(({ id }) => id)).toEqual(["second"]);
    expect(await lastRead()).not.toBe(before);
  });
});

describe("npm run tail", () => {
  it("npm run tail ends on Ctrl-C with the cursor of what it has printed, from which the next one goes on", async () => {
    const tail = (after: string) =>
      startScript("tail", ["--data-dir", runtime.dataDir, "--source", "/tail", "--after", after]);
    const eventOfTail = (id: string) => ({ ...event(id), source: "/tail" });
    await post(url, eventOfTail("one"));
    const first = tail("start");
    await eventually(
      () => first.output.stdout,
      (text) => text.includes('"one"'),
    );
    first.child.kill("SIGINT");

    const { code, stderr } = await first.ended;

    expect(code).toBe(0);
    const [, cursor = ""] = /To go on: npm run tail -- --after (\S+) --source \/tail --data-dir/.exec(stderr) ?? [];
    await post(url, eventOfTail("two"));
    const second = tail(cursor);
    await eventually(
      () => second.output.stdout,
      (text) => text.includes('"two"'),
    );
    second.child.kill("SIGTERM");
    expect(await second.ended).toMatchObject({ code: 0, stdout: expect.not.stringContaining('"one"') });
  });
});
