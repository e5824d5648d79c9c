import { describe, expect, it } from "vitest";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { createRunMessages } from "../../../functions/status/run-messages.ts";
import type { TakeOutcome } from "../../../functions/status/take-ledger.ts";

const message = (body: string) => ({ messageId: body, body }) as ReceivedMessage;
const ledgerAt = (due: number) => JSON.stringify({ kind: "ledger", due });

async function run(bodies: readonly string[], outcome: TakeOutcome = { kind: "fresh" }) {
  const asked: number[] = [];
  const rule = createRunMessages({
    takeLedger: (due) => {
      asked.push(due);
      return Promise.resolve(outcome);
    },
  });
  const { remaining, ...result } = await rule(bodies.map(message), 0);
  return { ...result, asked, remaining: remaining.map(({ body }) => body) };
}

describe("the messages of the queue of status", () => {
  it("a message that is none of Sluice stays, and is counted", async () => {
    const bodies = ["{", "{}", '{"kind":"other"}', '{"kind":"ledger"}', ledgerAt(1)];

    const outcome = await run(bodies);

    expect(outcome.remaining).toEqual(bodies.slice(0, 4));
    expect(outcome).toMatchObject({ level: "warn", fields: { failedMessages: 4, unreadable: 4 } });
  });

  it("the messages of an invocation that ask for a snapshot are one request, for the latest time", async () => {
    expect(await run([ledgerAt(5), ledgerAt(9), ledgerAt(7)])).toMatchObject({
      asked: [9],
      remaining: [],
      level: "info",
      fields: { ledger: { outcome: "fresh" } },
    });
  });

  it("a snapshot reports its difference as a metric, and warns of one", async () => {
    const taken = { kind: "taken", tenants: 2, written: 1, inFlight: 3 } as const;

    expect(await run([ledgerAt(1)], { ...taken, difference: 0 })).toMatchObject({
      level: "info",
      fields: { ledger: { outcome: "taken", tenants: 2, written: 1, inFlight: 3, difference: 0 } },
      metrics: { LedgerDifference: 0 },
    });
    expect(await run([ledgerAt(1)], { ...taken, difference: 2 })).toMatchObject({
      level: "warn",
      metrics: { LedgerDifference: 2 },
    });
  });

  it("the messages stay where the database does not answer and the new message is not confirmed", async () => {
    const reason = "database_unavailable";

    expect(await run([ledgerAt(1), ledgerAt(2)], { kind: "failed", reason })).toMatchObject({
      remaining: [ledgerAt(1), ledgerAt(2)],
      fields: { failedMessages: 2 },
    });
    expect(await run([ledgerAt(1), ledgerAt(2)], { kind: "postponed", reason })).toMatchObject({
      remaining: [],
      fields: { failedMessages: 0, requeuedMessages: 1, ledger: { outcome: "postponed", reason } },
    });
  });
});
