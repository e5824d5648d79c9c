import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { SHED_LAG_MS, SHED_RETRY_AFTER_SECONDS } from "../../functions/core/query-load-limits.ts";
import { eventually } from "../support/eventually.ts";
import { call, get, post } from "../support/http.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

let runtime: TestRuntime;
let url: string;
beforeAll(async () => {
  runtime = await startTestRuntime();
  ({ url } = runtime.addresses);
});
afterAll(() => runtime?.remove());

const eventOf = (id: string) => ({ id, source: "/shed", type: "com.example.shed", data: {} });
async function list() {
  const { status, headers, text } = await get(`${url}/events?source=/shed`);
  return { status, retryAfter: headers.get("retry-after"), text };
}

/** Sessions that wait for the table of keys: the consumer's, and those of `holdStores`. */
async function waiting(): Promise<number> {
  const [row] = await runtime.query(
    "select count(*)::integer as number from pg_locks where not granted and relation = 'event_keys'::regclass",
  );
  return Number(row?.["number"]);
}

/** Lets the consumer store nothing from `held` on until `release`. Readers go on. */
async function holdStores() {
  const client = new Client(runtime.addresses.databaseUrl);
  await client.connect();
  onTestFinished(() => client.end());
  await client.query("begin");
  return { held: client.query("lock table event_keys in exclusive mode"), release: () => client.query("rollback") };
}

it("queries are refused while events wait for the consumer, events are accepted all along, and then queries are answered", async () => {
  const first = await holdStores();
  await first.held;
  const ids = Array.from({ length: 3 }, () => randomUUID());
  expect((await post(url, eventOf(ids[0] ?? ""))).status).toBe(202);
  const sentAt = Date.now();
  await eventually(waiting, (number) => number === 1);
  // It gets the table behind the consumer's first batch and before the second.
  const second = await holdStores();
  await eventually(waiting, (number) => number === 2);
  await eventually(
    async () => Date.now() - sentAt,
    (milliseconds) => milliseconds > SHED_LAG_MS,
    2 * SHED_LAG_MS,
  );
  await first.release();
  await second.held;
  expect((await post(url, eventOf(ids[1] ?? ""))).status).toBe(202);

  const refused = await eventually(list, ({ status }) => status === 429);

  expect(refused.retryAfter).toBe(String(SHED_RETRY_AFTER_SECONDS));
  expect(JSON.parse(refused.text)).toMatchObject({
    code: "queries_shed",
    detail: expect.stringMatching(/^Events wait 3\d s/),
  });
  expect((await call(`${url}/feed?after=start`)).status).toBe(429);
  expect((await call(`${url}/events/${ids[0]}`)).status).toBe(200);
  expect((await call(`${url}/events/${ids[1]}`)).status).toBe(404);
  expect((await post(url, eventOf(ids[2] ?? ""))).status).toBe(202);

  await second.release();
  const answered = await eventually(list, ({ text }) => ids.every((id) => text.includes(id)));
  expect(answered.status).toBe(200);
});
