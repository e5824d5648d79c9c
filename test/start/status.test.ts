import parse from "parse-prometheus-text-format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Front, startFront } from "../../bench/pipeline/front.ts";
import { schemas } from "../../functions/core/answer.ts";
import type { StatusAnswer } from "../../functions/core/status-answers.ts";
import { eventually } from "../support/eventually.ts";
import { runScript } from "../support/run-script.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

/** A snapshot is taken at the end of a minute, by a message that a busy machine may handle late. */
const SNAPSHOT_MS = 150_000;

let runtime: TestRuntime;
let front: Front | undefined;
let dataApiCalls = 0;
const keys = new Map<string, string>();
beforeAll(async () => {
  runtime = await startTestRuntime(undefined, {
    dataApiFront: async (endpoint) => {
      front = await startFront(endpoint, { onExchange: () => (dataApiCalls += 1) });
      return front.url;
    },
  });
  for (const tenant of TENANTS) keys.set(tenant, await keyOf(tenant));
  keys.set("*", runtime.addresses.installationKey);
});
afterAll(async () => {
  await runtime?.remove();
  await front?.stop();
});

const TENANTS = ["acme", "other"] as const;

const send = (key: string, path: string, init: RequestInit = {}) =>
  fetch(`${runtime.addresses.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  });

async function keyOf(tenant: string): Promise<string> {
  const body = JSON.stringify({ tenant, role: "admin" });
  const answer = await send(runtime.addresses.installationKey, "/keys", { method: "POST", body });
  return ((await answer.json()) as { key: string }).key;
}

/** The verdicts of a request. */
async function post(tenant: string, events: readonly object[]): Promise<string[]> {
  const answer = await send(String(keys.get(tenant)), "/events", { method: "POST", body: JSON.stringify(events) });
  const { results } = (await answer.json()) as { results: { status: string }[] };
  return results.map(({ status }) => status);
}

const events = (from: number, to: number, data: unknown = 1) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    id: `e-${from + i}`,
    source: "/s",
    type: "com.example.status",
    data,
  }));

/** The database refuses events with this text in their data. */
async function refuse(text: string): Promise<void> {
  await runtime.query(
    "create function refuse_event() returns trigger language plpgsql as $$ begin raise exception 'refused by a test' using errcode = '22P05'; end $$",
  );
  await runtime.query(
    `create trigger refuse_event before insert on events for each row when (position('${text}' in new.data::text) > 0) execute function refuse_event()`,
  );
}

async function status(tenant = "*"): Promise<StatusAnswer> {
  const answer = await send(String(keys.get(tenant)), "/status");
  expect(answer.status).toBe(200);
  return schemas.Status.parse(await answer.json());
}

async function ledgerOf(tenant: string) {
  const { ledger } = await status(tenant);
  if ("unavailable" in ledger) throw new Error(ledger.unavailable);
  return ledger;
}

/** Until a snapshot has everything, and no other one is asked for. */
async function untilAtRest(): Promise<void> {
  await eventually(
    status,
    ({ ledger, queues }) =>
      "accepted" in ledger &&
      ledger.inFlight === 0 &&
      "status" in queues &&
      Object.values(queues.status).every((count) => count === 0),
    SNAPSHOT_MS,
  );
}

describe("the ledger of GET /status", () => {
  it("the ledger is the test's own count of each tenant at rest, with copies, conflicts and dead letters, and its difference 0", async () => {
    await refuse("unwanted");
    await post("acme", events(1, 20));
    await post("acme", events(21, 25, "unwanted"));
    await eventually(
      () => ledgerOf("acme"),
      ({ accepted }) => accepted === 25,
    );
    await untilAtRest();
    await post("acme", events(1, 3));
    await post("acme", events(4, 5, 2));
    await post("other", events(1, 4));
    await eventually(
      () => ledgerOf("*"),
      ({ accepted }) => accepted === 34,
    );
    await untilAtRest();

    expect(await ledgerOf("acme")).toMatchObject({
      accepted: 30,
      stored: 20,
      copies: 3,
      conflicts: 2,
      open: 5,
      inFlight: 0,
      difference: 0,
    });
    expect(await ledgerOf("other")).toMatchObject({ accepted: 4, stored: 4, difference: 0 });
    expect(await ledgerOf("*")).toMatchObject({
      accepted: 34,
      difference: 0,
      tenants: [{ tenant: "acme" }, { tenant: "other" }],
    });
    expect(await status()).toMatchObject({
      stage: "dev",
      consumer: { lagMs: expect.any(Number), lastStoredAt: expect.any(String) },
      database: { state: "active" },
    });
  }, 400_000);

  it("the difference is what is in flight while the database does not answer, and 0 behind the outage", async () => {
    runtime.dataApiFaults.set([{ kind: "error", error: "DatabaseUnavailableException" }]);
    await post("acme", events(101, 140));
    await post("other", events(101, 107));

    const inFlight = (tenant: string, count: number) =>
      eventually(
        () => ledgerOf(tenant),
        (ledger) => ledger.inFlight === count && ledger.difference === count,
      );
    expect(await inFlight("acme", 40)).toMatchObject({ accepted: 70, stored: 20 });
    expect(await inFlight("other", 7)).toMatchObject({ accepted: 11, stored: 4 });
    expect(await inFlight("*", 47)).toMatchObject({ accepted: 81 });

    runtime.dataApiFaults.clear();
    await untilAtRest();
    expect(await ledgerOf("acme")).toMatchObject({ accepted: 70, stored: 60, inFlight: 0, difference: 0 });
    expect(await ledgerOf("other")).toMatchObject({ accepted: 11, stored: 11, inFlight: 0, difference: 0 });
    expect(runtime.metrics.filter((line) => line.includes('"LedgerDifference":')).length).toBeGreaterThan(0);
    expect(runtime.metrics.filter((line) => /"LedgerDifference":[1-9]/.test(line))).toEqual([]);
  }, 400_000);

  it("as many requests as a scraper makes in an hour call the database no time, and their metrics are the sums of the ledger", async () => {
    await untilAtRest();
    const before = dataApiCalls;

    for (let scrape = 0; scrape < 3_600 / 15; scrape++) {
      const [metrics, state] = await Promise.all([send(String(keys.get("*")), "/metrics"), status()]);
      expect(metrics.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      const families = new Map(parse(await metrics.text()).map((family) => [family.name, family.metrics]));
      expect(families.get("sluice_events_accepted_total")).toEqual([{ value: "81" }]);
      expect(state.ledger).toMatchObject({ accepted: 81 });
    }

    expect(before).toBeGreaterThan(0);
    expect(dataApiCalls).toBe(before);
  }, 240_000);

  it("npm run status shows the ledger of all tenants, or of one, and ends with 0 where nothing is missing", async () => {
    const run = (...words: string[]) => runScript("status", [...words, "--data-dir", runtime.dataDir]);
    const [all, one] = [await run(), await run("--tenant", "other", "--json")];

    expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining("accepted   81") });
    expect(all.stdout).toMatch(/Every accepted event is in a count or in flight/);
    expect(schemas.Status.parse(JSON.parse(one.stdout))).toMatchObject({ tenant: "other", ledger: { stored: 11 } });
  });
});
