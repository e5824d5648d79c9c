import { randomUUID } from "node:crypto";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readPublicKey, verifyWebhook } from "../../scripts/listen/verify-webhook.ts";
import type {
  Attempt,
  MadeSubscription,
  Subscription,
  WholeSubscription,
} from "../../scripts/subscriptions/subscriptions-api.ts";
import { eventually } from "../support/eventually.ts";
import { startScript } from "../support/run-script.ts";
import { startWebhookReceiver, type Webhook, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { deployedTarget, reachesThisMachine } from "./deployment.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let receiver: WebhookReceiver;
const made: string[] = [];
beforeAll(async () => {
  [target, receiver] = await Promise.all([openTarget(), startWebhookReceiver()]);
});
beforeEach(() => {
  receiver.answer();
  receiver.received.length = 0;
});
afterAll(async () => {
  const headers = { authorization: `Bearer ${target?.apiKey}` };
  await Promise.all(made.map((id) => target.call(`/subscriptions/${id}`, { method: "DELETE", headers })));
  await receiver?.stop();
  await target?.close();
});

const isReached = await reachesThisMachine(deployedTarget());

const PATIENCE_MS = 120_000;

async function call<Answer>(path: string, { method = "POST", body }: { method?: string; body?: unknown } = {}) {
  const { status, text } = await target.call(path, {
    method,
    headers: { authorization: `Bearer ${target.apiKey}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}

/** A source of a test's own, and a subscription to its events. */
async function subscribe(settings: object = {}): Promise<{ source: string; subscription: MadeSubscription }> {
  const source = `${target.source}/${randomUUID()}`;
  const body = {
    name: "e2e",
    filter: { exact: { source } },
    sink: { type: "webhook", url: receiver.url },
    ...settings,
  };
  const subscription = await call<MadeSubscription>("/subscriptions", { body });
  made.push(subscription.id);
  return { source, subscription };
}

const read = (id: string) => call<WholeSubscription>(`/subscriptions/${id}`, { method: "GET" });

async function send(source: string, ids: readonly string[], more: (id: string) => object = () => ({})): Promise<void> {
  const events = ids.map((id) => ({ id, source, type: "com.example.e2e", data: { id }, ...more(id) }));
  await call("/events", { body: events });
}

/** Waits until these events, and no others, were confirmed, in any order. */
async function confirmed(ids: readonly string[]): Promise<void> {
  await eventually(
    () => receiver.confirmed().length,
    (count) => count >= ids.length,
    PATIENCE_MS,
  );
  expect(receiver.confirmed().toSorted()).toEqual([...ids].toSorted());
}

const ledgerIs = (id: string, ledger: Partial<WholeSubscription["ledger"]>) =>
  eventually(
    async () => (await read(id)).ledger,
    (found) => Object.entries(ledger).every(([name, count]) => found[name as keyof typeof found] === count),
    PATIENCE_MS,
  );

/** Both libraries take the webhook. */
function verifies(secret: string, { headers, body }: Pick<Webhook, "headers" | "body">): void {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  new StandardWebhook(secret).verify(body, texts);
  new SvixWebhook(secret).verify(body, texts);
}

describe("a sink that could never be meant", () => {
  it.each([
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:a9fe:a9fe]/",
    "ftp://example.com/",
    "http://10.0.0.1/",
  ])("the sink %s is refused when a subscription is made, with the reason", async (url) => {
    await expect(call("/subscriptions", { body: { name: "e2e", sink: { type: "webhook", url } } })).rejects.toThrow(
      /422 .*"code":"bad_sink"/,
    );
  });
});

describe.runIf(isReached)("a subscription with a webhook", () => {
  it("events that match are delivered once, signed so that the libraries verify them, and equal to what GET answers", async () => {
    const { source, subscription } = await subscribe();
    expect(subscription).toMatchObject({ state: "active", matches: { count: 0 }, warning: expect.any(String) });

    await send(source, ["a"], () => ({ data: { text: "Zoë 🎈", n: 1.5 } }));
    await send(`${source}-other`, ["other"]);
    await send(source, ["b"]);
    await confirmed(["a", "b"]);

    expect(await ledgerIs(subscription.id, { delivered: 2 })).toEqual({
      matched: 2,
      delivered: 2,
      pending: 0,
      failed: 0,
      skipped: 0,
    });
    const { secret = "", publicKey = "" } = subscription;
    for (const webhook of receiver.received) {
      expect(() => verifies(secret, webhook)).not.toThrow();
      const keys = { secrets: [], publicKeys: [readPublicKey(publicKey)] };
      expect(verifyWebhook(keys, webhook.headers, Buffer.from(webhook.body), Date.now())).toEqual({
        verdict: "verified",
      });
      expect(() => verifies(secret, { ...webhook, body: webhook.body.replace("com.", "org.") })).toThrow(/signature/i);
      const old = { ...webhook.headers, "webhook-timestamp": String(Math.floor(Date.now() / 1_000) - 400) };
      expect(() => verifies(secret, { ...webhook, headers: old })).toThrow(/timestamp/i);
      const id = String(webhook.events[0]?.["id"]);
      const stored = await target.call(`/events/${id}?source=${encodeURIComponent(source)}`, {
        headers: { authorization: `Bearer ${target.apiKey}` },
      });
      expect(webhook.body).toBe(stored.text);
    }
  });

  it("a receiver that fails gets the delivery again under the same webhook-id, and each attempt is listed", async () => {
    const { source, subscription } = await subscribe();
    receiver.answer(({ attempt }) => (attempt === 1 ? 503 : 204));

    await send(source, ["a"]);
    await confirmed(["a"]);

    const [first, second, ...others] = receiver.received;
    expect(others).toEqual([]);
    expect(second?.id).toBe(first?.id);
    expect(Number(second?.headers["webhook-timestamp"])).toBeGreaterThan(Number(first?.headers["webhook-timestamp"]));
    for (const webhook of receiver.received) expect(() => verifies(subscription.secret ?? "", webhook)).not.toThrow();
    await ledgerIs(subscription.id, { delivered: 1 });
    const path = `/subscriptions/${subscription.id}/attempts`;
    const { attempts } = await call<{ attempts: Attempt[] }>(path, { method: "GET" });
    expect(attempts).toMatchObject([
      { eventId: "a", deliveryId: first?.id, number: 2, status: "delivered", code: 204 },
      { eventId: "a", deliveryId: first?.id, number: 1, status: "later", code: 503, response: "an answer" },
    ]);
    const later = await call<{ attempts: Attempt[] }>(`${path}?status=later&code=503&event=a`, { method: "GET" });
    expect(later.attempts).toEqual([attempts[1]]);
  });

  it("the answer 410 disables the subscription, which goes on where it was when it is enabled", async () => {
    const { source, subscription } = await subscribe();
    receiver.answer(() => 410);
    await send(source, ["a"]);
    const disabled = await eventually(
      () => read(subscription.id),
      ({ state }) => state === "disabled",
      PATIENCE_MS,
    );
    expect(disabled.disabledReason).toBe("sink_ended");
    receiver.answer();
    const before = receiver.received.length;
    await send(source, ["b"]);

    await call(`/subscriptions/${subscription.id}/enable`);

    await eventually(receiver.confirmed, (ids) => ids.includes("b"), PATIENCE_MS);
    expect(receiver.received.slice(before).every(({ status }) => status === 204)).toBe(true);
    const { matched, delivered, failed } = await ledgerIs(subscription.id, { matched: 2, pending: 0 });
    expect(delivered + failed).toBe(matched);
  });

  it("a rotated secret signs beside the new one until its overlap ends", async () => {
    const { source, subscription } = await subscribe();
    const old = subscription.secret ?? "";
    const { secret: next = "" } = await call<{ secret?: string }>(`/subscriptions/${subscription.id}/rotate`, {
      body: { overlapHours: 1 },
    });

    await send(source, ["a"]);
    await confirmed(["a"]);
    const [during] = receiver.received.splice(0);
    for (const secret of [old, next]) expect(() => verifies(secret, during as Webhook)).not.toThrow();

    const { secret: last = "" } = await call<{ secret?: string }>(`/subscriptions/${subscription.id}/rotate`, {
      body: { overlapHours: 0 },
    });
    await send(source, ["b"]);
    await confirmed(["b"]);
    const [after] = receiver.received as [Webhook];
    expect(() => verifies(last, after)).not.toThrow();
    for (const secret of [old, next]) expect(() => verifies(secret, after)).toThrow(/signature/i);
  });

  it("a disabled subscription delivers nothing and loses nothing", async () => {
    const { source, subscription } = await subscribe();
    await send(source, ["a"]);
    await confirmed(["a"]);

    await call(`/subscriptions/${subscription.id}/disable`);
    await send(source, ["b", "c"]);
    await isStored(source, "c");
    expect(receiver.confirmed()).toEqual(["a"]);
    expect(await call<Subscription>(`/subscriptions/${subscription.id}/enable`)).toMatchObject({ state: "active" });

    await confirmed(["a", "b", "c"]);
  });

  it("a seek delivers again what is behind the place, under other webhook-ids", async () => {
    const since = new Date(Date.now() - 60_000).toISOString();
    const { source, subscription } = await subscribe();
    await send(source, ["a", "b"]);
    await confirmed(["a", "b"]);
    await ledgerIs(subscription.id, { delivered: 2 });
    const before = new Set(receiver.received.splice(0).map(({ id }) => id));

    await call(`/subscriptions/${subscription.id}/seek`, { body: { from: since } });

    await confirmed(["a", "b"]);
    expect(receiver.received.filter(({ id }) => before.has(id))).toEqual([]);
    await ledgerIs(subscription.id, { matched: 4, delivered: 4, pending: 0 });
  });

  it("a subscription that begins in the past delivers what is stored already, and shows it", async () => {
    const since = new Date(Date.now() - 60_000).toISOString();
    const source = `${target.source}/${randomUUID()}`;
    await send(source, ["a"]);
    await isStored(source, "a");

    const { subscription } = await subscribe({ filter: { exact: { source } }, from: since });

    expect(subscription).toMatchObject({ matches: { count: 1, complete: true, events: [{ id: "a" }] } });
    expect(subscription).not.toHaveProperty("warning");
    await confirmed(["a"]);
  });

  it("the events of a subject come in their order, and a failing subject holds up no other", async () => {
    const { source, subscription } = await subscribe({ order: "subject" });
    receiver.answer(({ events, attempt }) => (events[0]?.["id"] === "a-1" && attempt === 1 ? 500 : 204));

    await send(source, ["a-1", "a-2", "a-3", "b-1", "b-2", "b-3"], (id) => ({ subject: id.slice(0, 1) }));
    await confirmed(["a-1", "a-2", "a-3", "b-1", "b-2", "b-3"]);

    expect(receiver.confirmed()).toEqual(["b-1", "b-2", "b-3", "a-1", "a-2", "a-3"]);
    expect(receiver.received).toHaveLength(7);
    await ledgerIs(subscription.id, { matched: 6, delivered: 6 });
  });

  it("a batch has several events in one webhook, and each of them is a delivery of its own", async () => {
    const { source, subscription } = await subscribe({ batch: 10 });
    const ids = Array.from({ length: 25 }, (_, at) => `e-${at}`);

    await send(source, ids);
    await confirmed(ids);

    expect(receiver.received.length).toBeLessThan(ids.length);
    for (const webhook of receiver.received) {
      expect(webhook.events.length).toBeLessThanOrEqual(10);
      expect(() => verifies(subscription.secret ?? "", webhook)).not.toThrow();
    }
    await ledgerIs(subscription.id, { matched: 25, delivered: 25 });
  });

  it("a binary webhook has the attributes in its headers and the data as its body", async () => {
    const sink = { type: "webhook", url: receiver.url, format: "binary", headers: { "x-token": "t-1" } };
    const { source, subscription } = await subscribe({ sink });
    expect(subscription.sink).toMatchObject({ headers: { "x-token": "***" } });

    await send(source, ["a"], () => ({ subject: "Zoë", data: { n: 1 } }));
    await confirmed(["a"]);

    const [webhook] = receiver.received as [Webhook];
    expect(webhook.headers).toMatchObject({ "x-token": "t-1", "ce-id": "a", "ce-source": source });
    expect(webhook.events).toMatchObject([{ subject: "Zoë" }]);
    expect(JSON.parse(webhook.body)).toEqual({ n: 1 });
    expect(() => verifies(subscription.secret ?? "", webhook)).not.toThrow();
  });
});

describe.runIf(isReached)("npm run subscriptions and npm run listen", () => {
  it("failed deliveries are grouped, planned and sent again by a filter, under the same webhook-id", async () => {
    const { source, subscription } = await subscribe();
    const { id } = subscription;
    receiver.answer(() => 500);
    await send(source, ["a", "b"], (event) => ({ subject: event }));
    await ledgerIs(id, { pending: 2 });
    await eventually(
      () => receiver.received.length,
      (count) => count >= 2,
      PATIENCE_MS,
    );
    // The last try is three days later.
    await eventually(
      async () => {
        await target.sql(
          `update deliveries set schedule_attempts = 9, due_at = clock_timestamp(), schedule_from = clock_timestamp() - interval '76 hours'
           where subscription_id = '${id}' and state = 'pending' and leased_by is null`,
        );
        await call(`/subscriptions/${id}/enable`);
        return (await read(id)).ledger.failed;
      },
      (failed) => failed === 2,
      PATIENCE_MS,
    );
    const before = receiver.received.splice(0).map((webhook) => webhook.id);
    receiver.answer();

    expect((await target.run("subscriptions", "failures", id)).stdout).toMatch(/^2 +500 /m);
    const filter = JSON.stringify({ exact: { subject: "a" } });
    const retry = ["retry", id, "--filter", filter, "--code", "500", "503"];
    expect(await target.run("subscriptions", ...retry, "--dry-run")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("1 delivery would be sent again"),
    });
    expect(await target.run("subscriptions", ...retry)).toMatchObject({
      code: 0,
      stdout: "1 delivery sent again: 1 delivered, 0 failed, 0 not ended yet\n",
    });

    await confirmed(["a"]);
    expect(before).toContain(receiver.received[0]?.id);
    expect(await ledgerIs(id, { delivered: 1 })).toMatchObject({ matched: 2, delivered: 1, failed: 1, pending: 0 });
    expect((await target.run("subscriptions", "retries", id)).stdout).toMatch(/ done +1 +1 +1 +0 /);
    expect((await target.run("subscriptions", "deliveries", id, "--state", "failed")).stdout).toMatch(/^failed .* b /m);
  });

  it("a subscription is made, tested, changed, rotated, disabled and deleted by the command", async () => {
    const source = `${target.source}/${randomUUID()}`;
    const run = (...words: string[]) => target.run("subscriptions", ...words);
    const create = await run("create", "--name", "by command", "--url", receiver.url, "--source", source, "--json");
    const { id, secret } = JSON.parse(create.stdout) as MadeSubscription;
    made.push(id);
    expect(secret).toMatch(/^whsec_/);

    expect((await run("list", "--limit", "1000")).stdout).toContain(id);
    await send(source, ["a"]);
    await confirmed(["a"]);
    expect(await run("test", id, "--stored", "a", "--stored-source", source)).toMatchObject({
      code: 0,
      stdout: "It matches\n",
    });
    expect(await run("change", id, "--filter", '{"exact":{"source":"/nobody"}}', "--rate", "5")).toMatchObject({
      code: 0,
    });
    const test = await run("test", id, "--stored", "a", "--stored-source", source);
    expect(test).toMatchObject({ code: 1, stdout: expect.stringContaining("It does not match\n  /exact/source: ") });
    expect((await run("rotate", id, "--overlap-hours", "0")).stdout).toMatch(/^whsec_\S+\n$/);
    expect(await run("disable", id)).toMatchObject({ code: 0, stderr: expect.stringContaining("disabled") });
    expect((await run("show", id)).stdout).toMatch(/^ledger +1 matched = 1 delivered \+ 0 pending/m);
    expect((await run("attempts", id)).stdout).toMatch(/ 1 +delivered +204 /);
    expect(await run("delete", id)).toMatchObject({ code: 0 });
    expect(await run("show", id)).toMatchObject({ code: 2, stderr: expect.stringContaining("no_such_subscription") });
  });

  it("listen makes a subscription for itself, shows a verified webhook, and deletes it", async () => {
    const source = `${target.source}/${randomUUID()}`;
    const { flags } = target;
    const { output, ended } = startScript("listen", [
      "--create",
      "--source",
      source,
      "--count",
      "2",
      "--fail",
      "1",
      ...flags,
    ]);
    const id = await eventually(() => /Subscription (sub_\w+)/.exec(output.stderr)?.[1]);

    await send(source, ["a"]);

    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { attempt: 1, verdict: "verified", status: 500, events: [{ id: "a", source }] },
      { attempt: 2, verdict: "verified", status: 204, events: [{ id: "a", source }] },
    ]);
    await expect(read(id)).rejects.toThrow("no_such_subscription");
  });
});

const isStored = (source: string, id: string) =>
  eventually(
    () =>
      target.call(`/events/${id}?source=${encodeURIComponent(source)}`, {
        headers: { authorization: `Bearer ${target.apiKey}` },
      }),
    ({ status }) => status === 200,
    PATIENCE_MS,
  );
