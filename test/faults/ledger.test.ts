import { ListQueuesCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { textOfMessage } from "../../functions/core/message-text.ts";
import type { StatusAnswer } from "../../functions/core/status-answers.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";
import { openShownLedger, type ShownLedger } from "./support/shown-ledger.ts";

const TENANTS = ["default", "other"];
const PATIENCE_MS = 150_000;

type Sent = { id: string; data: { version: number; refused?: boolean } };
type Counts = Pick<Account, "accepted" | "stored" | "copies" | "conflicts" | "open" | "replayed" | "discarded">;
type Account = NonNullable<Extract<StatusAnswer["ledger"], { tenants?: unknown }>["tenants"]>[number];

/** A database that refuses events with a member `refused`. Messages of a killed function come again soon. */
let stack: FaultStack;
let statusQueueUrl: string;
let page: ShownLedger | undefined;
const keys = new Map<string, string>();
/** The events that their queue got, by tenant, and producer and number: the test's own account of what was accepted. */
const sent = new Map<string, Map<string, Sent>>(TENANTS.map((tenant) => [tenant, new Map()]));
beforeAll(async () => {
  stack = await startFaultStack({ visibilitySeconds: 6, replayTimeoutSeconds: 12, batchMessages: 5, windowSeconds: 0 });
  await refuse(true);
  const made = await call("*", "/keys", { method: "POST", body: JSON.stringify({ tenant: "other", role: "admin" }) });
  keys.set("default", stack.addresses.apiKey).set("other", ((await made.json()) as { key: string }).key);
  page = await openShownLedger(stack);
  const { QueueUrls = [] } = await stack.deadLetters.client.send(new ListQueuesCommand({}));
  const name = QueueUrls.find((url) => /Status(?!.*DeadLetter)/.test(url)) ?? "";
  statusQueueUrl = new URL(stack.queue.url).origin + new URL(name).pathname;
});
afterAll(async () => {
  await page?.close();
  await stack?.remove();
});
beforeEach(async () => {
  await stack.heal();
  stack.sqs.onCall = ({ action, queue, entries }) => {
    if (!action.startsWith("SendMessage") || queue !== stack.queue.name) return;
    for (const { MessageBody = "" } of entries) {
      const { tenant, producer, sequence, events } = JSON.parse(textOfMessage(MessageBody).text) as {
        tenant: string;
        producer: string;
        sequence: number;
        events: Sent[];
      };
      for (const [at, event] of events.entries()) sent.get(tenant)?.set(`${producer} ${sequence + at}`, event);
    }
  };
});

const refuse = (isRefusing: boolean) =>
  stack.ask(
    isRefusing
      ? "alter table events add constraint no_refused check (data -> 'refused' is null) not valid"
      : "alter table events drop constraint no_refused",
  );

function call(tenant: string, path: string, init: RequestInit = {}): Promise<Response> {
  const key = tenant === "*" ? stack.addresses.installationKey : keys.get(tenant);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return fetch(`${stack.addresses.url}${path}`, { ...init, headers });
}

/** Sends events as a client does: again, until they are accepted. */
async function deliver(tenant: string, events: readonly Sent[]): Promise<void> {
  const body = JSON.stringify(events.map((event) => ({ ...event, source: "/ledger", type: "t" })));
  await eventually(
    () =>
      call(tenant, "/events", { method: "POST", body }).then(
        ({ status }) => status,
        () => 0,
      ),
    (status) => status === 202,
    PATIENCE_MS,
  );
}

/** Requests of both tenants: new events, copies of some, others under the same key, and some that the database refuses. */
async function load(name: string, requests = 8): Promise<void> {
  const eventsOf = (request: number): Sent[] => [
    ...Array.from({ length: 8 }, (_, at) => ({ id: `${name}-${request}-${at}`, data: { version: 1 } })),
    { id: `${name}-${request}-bad`, data: { version: 1, refused: true } },
    // Of the request before.
    { id: `${name}-${request - 1}-0`, data: { version: 1 } },
    { id: `${name}-${request - 1}-1`, data: { version: 2 } },
  ];
  await Promise.all(
    TENANTS.map(async (tenant) => {
      for (let request = 0; request < requests; request++) await deliver(tenant, eventsOf(request));
    }),
  );
}

const atRest = async () => {
  await eventually(stack.queue.depth, (depth) => depth === 0, PATIENCE_MS);
  await stack.recorded();
};

async function readLedger() {
  const { ledger } = (await (await call("*", "/status")).json()) as StatusAnswer;
  if ("unavailable" in ledger) throw new Error(ledger.unavailable);
  return ledger;
}

/** Asks for a snapshot now, which comes by itself when the minute is over. */
async function takenNow() {
  const due = Date.now();
  const MessageBody = JSON.stringify({ kind: "ledger", due });
  await stack.deadLetters.client.send(new SendMessageCommand({ QueueUrl: statusQueueUrl, MessageBody }));
  return eventually(readLedger, ({ takenAt }) => takenAt !== undefined && Date.parse(takenAt) >= due, 60_000);
}

/** The test's own account: each number that the queue got, by what the tables have of its event. */
async function ownAccount(tenant: string): Promise<Counts> {
  const stored = new Map(
    (
      await stack.ask<{ id: string; version: number }>(
        "select id, (data ->> 'version')::int as version from events where tenant = $1",
        [tenant],
      )
    ).map(({ id, version }) => [id, version]),
  );
  const deadLetters = new Map(
    (
      await stack.ask<{ number: string; state: "open" | "replayed" | "discarded" }>(
        `select body::jsonb ->> 'producer' || ' ' || (body::jsonb ->> 'sequence') as number, state
        from dead_letters where tenant = $1`,
        [tenant],
      )
    ).map(({ number, state }) => [number, state]),
  );
  const counts = { accepted: 0, stored: 0, copies: 0, conflicts: 0, open: 0, replayed: 0, discarded: 0 };
  const seen = new Set<string>();
  for (const [number, { id, data }] of sent.get(tenant) ?? []) {
    counts.accepted += 1;
    const version = stored.get(id);
    const state = deadLetters.get(number);
    if (version === undefined && state !== undefined) counts[state] += 1;
    else if (version !== data.version) counts.conflicts += 1;
    else if (seen.has(id)) counts.copies += 1;
    else {
      seen.add(id);
      counts.stored += 1;
    }
  }
  expect(seen.size).toBe(stored.size);
  return counts;
}

async function expectSettled(): Promise<void> {
  await atRest();
  const { tenants = [] } = await takenNow();
  for (const tenant of TENANTS) {
    const account = tenants.find((each) => each.tenant === tenant);
    const own = await ownAccount(tenant);
    expect(account, tenant).toEqual({ tenant, ...own, inFlight: 0, difference: 0 });
    if (page !== undefined) expect(await page.read(tenant), tenant).toEqual(asShown(own));
  }
}

/** As the operator's page names the counts. */
const asShown = (own: Counts) => ({
  Accepted: own.accepted,
  Stored: own.stored,
  Copies: own.copies,
  Conflicts: own.conflicts,
  "Open dead letters": own.open,
  Replayed: own.replayed,
  Discarded: own.discarded,
  Difference: 0,
});

describe("the ledger of a stack whose functions are killed", () => {
  it.each([
    ["ingest", "beforeSend"],
    ["ingest", "afterSend"],
    ["ingest", "beforeNote"],
    ["ingest", "afterNote"],
    ["consume", "beforeStore"],
    ["consume", "afterStore"],
    ["consume", "beforeAnswer"],
    ["drain", "beforeRecord"],
    ["drain", "afterRecord"],
    ["drain", "beforeAnswer"],
  ])("%s that is killed %s again and again leaves a ledger with every event once", async (name, point) => {
    let kills = 0;
    // A process writes a note a second at most.
    const every = point.endsWith("Note") ? 1 : 3;
    stack.failpoints.order((hit) => {
      if (hit.functionName !== name || hit.point !== point || hit.count % every !== 0 || kills === 3) return "go";
      kills += 1;
      return "kill";
    });

    await load(`${name}-${point}`);
    await atRest();

    expect(kills).toBeGreaterThan(0);
    await expectSettled();
  });
});

describe("the ledger of a stack whose queue answers badly", () => {
  it("lost answers to sends leave a ledger with every event once", async () => {
    stack.sqs.setFaults({ kind: "dropAfter", action: "SendMessageBatch", calls: 6 });

    await load("lost-sends");

    expect(stack.sqs.applied).toBeGreaterThan(3);
    await expectSettled();
  });

  it.each(["duplicate", "again"] as const)(
    "messages that SQS delivers more than once (%s) count once",
    async (kind) => {
      stack.sqs.setFaults({ kind, action: "ReceiveMessage" });

      await load(`redelivered-${kind}`);
      await atRest();

      expect(stack.sqs.applied).toBeGreaterThan(3);
      stack.sqs.setFaults();
      await expectSettled();
    },
  );

  it("messages whose deletion SQS did not answer count once", async () => {
    stack.sqs.setFaults({ kind: "dropBefore", action: "DeleteMessageBatch", calls: 8 });

    await load("lost-deletions");
    await atRest();

    expect(stack.sqs.applied).toBeGreaterThan(0);
    await expectSettled();
  });
});

describe("the ledger while the database is stopped", () => {
  it("has what was accepted meanwhile in flight, and settles by itself when the database is back", async () => {
    await expectSettled();
    const before = await readLedger();
    await stack.postgres.stop("immediate");

    await load("stopped");

    const counts = TENANTS.map((tenant) => sent.get(tenant)?.size ?? 0);
    const accepted = counts.reduce((sum, count) => sum + count, 0);
    const waiting = await eventually(readLedger, (ledger) => ledger.accepted === accepted, 20_000);
    expect(waiting).toMatchObject({ accepted, inFlight: accepted - before.accepted, stored: before.stored });
    expect(waiting.difference).toBe(waiting.inFlight);
    for (const [index, tenant] of TENANTS.entries())
      expect(waiting.tenants).toContainEqual(expect.objectContaining({ tenant, accepted: counts[index] }));

    await stack.postgres.start();
    await atRest();
    const settled = await eventually(readLedger, ({ inFlight }) => inFlight === 0, PATIENCE_MS);
    expect(settled).toMatchObject({ accepted, difference: 0 });
    await expectSettled();
  });
});

describe("the ledger of dead letters that are replayed and discarded", () => {
  const finish = async (tenant: string, path: string, body: object) => {
    const started = await call(tenant, path, { method: "POST", body: JSON.stringify(body) });
    expect(started.status).toBe(202);
    const { id } = (await started.json()) as { id: string };
    await eventually(
      async () => ((await (await call(tenant, `/replays/${id}`)).json()) as { state: string }).state,
      (state) => state !== "running",
      PATIENCE_MS,
    );
  };

  it("a replay that is killed between all of its steps comes back open, and each of its events counts once", async () => {
    await load("back");
    await atRest();
    const killed = new Set<string>();
    const points = new Set(["beforeTake", "afterTake", "beforeMark", "afterMark", "afterEnd"]);
    stack.failpoints.order(({ functionName, point }) => {
      if (functionName !== "replay" || !points.has(point) || killed.has(point)) return "go";
      killed.add(point);
      return "kill";
    });

    await finish("default", "/replays", {});

    // What has come back before it is marked need not be marked.
    expect([...killed]).toEqual(expect.arrayContaining(["beforeTake", "afterTake", "beforeMark", "afterEnd"]));
    await expectSettled();
  });

  it("discarded dead letters count as discarded, and replayed ones as what they become", async () => {
    await load("decided");
    await expectSettled();
    const open = await stack.ask<{ id: string }>(
      "select id from dead_letters where tenant = 'other' and state = 'open' limit 5",
    );
    await finish("other", "/dead-letters/discard", { ids: open.map(({ id }) => id), note: "a test" });
    await expectSettled();

    await refuse(false);
    await Promise.all(TENANTS.map((tenant) => finish(tenant, "/replays", {})));
    await expectSettled();

    expect(await readLedger()).toMatchObject({ open: 0, discarded: 5, replayed: 0, difference: 0 });
  });
});
