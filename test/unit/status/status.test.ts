import { describe, expect, it } from "vitest";
import type { ConsumerState } from "../../../functions/core/feed.ts";
import type { KeptLedger } from "../../../functions/core/ledger-table.ts";
import { newProducerId } from "../../../functions/core/producer-id.ts";
import { statusAnswer } from "../../../functions/core/status-answers.ts";
import { createStatus, type StatusDeps, toStatusAnswer } from "../../../functions/status/status.ts";
import { numbers } from "../../support/conformance/ledger-table.ts";
import { memoryLedgerTable } from "../../support/memory-ledger-table.ts";
import { depths, NO_COUNTS, NOW, queuesWith } from "./support.ts";

const installation = { stage: "test", version: "1.2.3", build: "abc" };
const producer = newProducerId(NOW - 1_000);
const at = (secondsBefore: number) => new Date(NOW - 1_000 * secondsBefore).toISOString();

const kept = (tenant: string, stored: number, arrived = stored): KeptLedger => ({
  ledger: { tenant, ...NO_COUNTS, stored, arrived },
  arrivals: numbers(arrived === 0 ? {} : { [producer]: `1-${arrived}` }),
  subscriptions: { active: 1, disabled: 2, pending: 3 },
});

async function answerFor(
  tenant: string,
  { ledgers = [], takenAt = at(60), state = { lag: undefined, storedAt: undefined }, ...deps }: Given = {},
) {
  const table = memoryLedgerTable();
  await table.write({ producer, at: NOW, tenants: numbers({ acme: "1-9" }) });
  for (const each of ledgers) await table.writeLedger(each, takenAt);
  const status = createStatus({
    table,
    queues: queuesWith(() => 12),
    consumer: { read: () => Promise.resolve(state) },
    clock: () => new Date(NOW),
    ...deps,
  });
  return statusAnswer.parse(toStatusAnswer(await status.read(tenant, NOW + 5_000), installation));
}

type Given = Partial<StatusDeps> & { ledgers?: KeptLedger[]; takenAt?: string; state?: ConsumerState };

const none = kept("*", 0);

describe("the state of an installation", () => {
  it("the state has each part with the time at which it was true", async () => {
    const answer = await answerFor("acme", {
      ledgers: [kept("acme", 7), kept("other", 5), none],
      state: { lag: { lagMs: 1_500, at: NOW - 2_000 }, storedAt: NOW - 1_000 },
    });

    expect(answer).toEqual({
      ...installation,
      at: at(0),
      tenant: "acme",
      ledger: { takenAt: at(60), ...NO_COUNTS, accepted: 9, stored: 7, inFlight: 2, difference: 2 },
      queues: { at: at(0), ...depths(12) },
      consumer: { lagMs: 1_500, lagAt: at(2), lastStoredAt: at(1) },
      subscriptions: { takenAt: at(60), active: 1, disabled: 2, pending: 3 },
      database: { state: "active", usedAt: at(1) },
    });
  });

  it("the state of all tenants has their sum, and their accounts, those with a difference first", async () => {
    const { ledger } = await answerFor("*", {
      ledgers: [kept("acme", 9), kept("faulty", 4, 5), kept("other", 50), none],
    });

    expect(ledger).toMatchObject({ accepted: 64, stored: 63, inFlight: 0, difference: 1, moreTenants: 0 });
    expect(ledger).toMatchObject({
      tenants: [{ tenant: "faulty" }, { tenant: "other" }, { tenant: "acme", accepted: 9 }],
    });
  });

  it("tenants whose counts are wrong come before any with events in flight", async () => {
    const inFlight = { ledgers: [kept("faulty", 4, 5), kept("acme", 0), none] };

    const { ledger } = await answerFor("*", inFlight);

    expect(ledger).toMatchObject({
      tenants: [
        { tenant: "faulty", difference: 1, inFlight: 0 },
        { tenant: "acme", difference: 9, inFlight: 9 },
      ],
    });
  });

  it("the state of all tenants names a hundred of them at most, and says how many there are more", async () => {
    const ledgers = Array.from({ length: 130 }, (_, i) => kept(`t-${i}`, i));

    const { ledger } = await answerFor("*", { ledgers });

    expect(ledger).toMatchObject({ moreTenants: 31 });
    expect((ledger as { tenants: unknown[] }).tenants).toHaveLength(100);
  });

  it("the state of a new installation has what was accepted in flight, and no times of what never was", async () => {
    expect(await answerFor("acme")).toMatchObject({
      ledger: { accepted: 9, inFlight: 9, difference: 9 },
      consumer: {},
      database: { state: "idle" },
    });
  });

  it.each([
    [299, "active"],
    [301, "idle"],
  ])("the database was used %i seconds ago, so it is %s", async (seconds, state) => {
    const stored = await answerFor("acme", { state: { lag: undefined, storedAt: NOW - 1_000 * seconds } });
    const taken = await answerFor("acme", { ledgers: [none], takenAt: at(seconds) });

    for (const { database } of [stored, taken]) expect(database).toEqual({ state, usedAt: at(seconds) });
  });

  it("a part that cannot be read says so and fails no other one", async () => {
    const refuse = () => Promise.reject(new Error("no answer"));
    const table = { ...memoryLedgerTable(), readNotes: refuse };

    const [noQueues, noTable, noConsumer] = await Promise.all([
      answerFor("acme", { queues: queuesWith(() => undefined) }),
      answerFor("acme", { table }),
      answerFor("acme", { consumer: { read: refuse } }),
    ]);

    const unavailable = { unavailable: expect.stringMatching(/^(SQS|DynamoDB) did not answer/) };
    expect(noQueues).toMatchObject({ queues: unavailable, ledger: { accepted: 9 }, database: { state: "idle" } });
    expect(noTable).toMatchObject({
      ledger: unavailable,
      subscriptions: unavailable,
      database: unavailable,
      queues: { events: { visible: 12 } },
    });
    expect(noConsumer).toMatchObject({ consumer: unavailable, database: unavailable, ledger: { accepted: 9 } });
  });
});
