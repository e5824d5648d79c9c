import { describe, expect, it } from "vitest";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { AccessError } from "../../../functions/core/access.ts";
import type { RefusalsMessage } from "../../../functions/core/refusal.ts";
import { createRunMessages } from "../../../functions/status/run-messages.ts";
import type { TakeOutcome } from "../../../functions/status/take-ledger.ts";
import { refusalGroup } from "../../support/refusal-samples.ts";

const NOW = 100;

const message = (body: string, receiveCount = 1) => ({ messageId: body, body, receiveCount }) as ReceivedMessage;
const ledgerAt = (due: number) => JSON.stringify({ kind: "ledger", due });

const refusals = (id: string, count: number) =>
  JSON.stringify({ kind: "refusals", id, groups: [refusalGroup({ count })] });

async function run(
  bodies: readonly (string | ReceivedMessage)[],
  outcome: TakeOutcome = { kind: "fresh" },
  countRefusals: (messages: readonly RefusalsMessage[]) => Promise<void> = () => Promise.resolve(),
  isMarkable = true,
) {
  const asked: number[] = [];
  let marks = 0;
  const rule = createRunMessages({
    countRefusals,
    marker: {
      async change() {
        if (!isMarkable) throw new AccessError("down");
        marks += 1;
        return { isSubscribed: false };
      },
    },
    takeLedger: (due) => {
      asked.push(due);
      return Promise.resolve(outcome);
    },
    clock: () => new Date(NOW),
  });
  const messages = bodies.map((each) => (typeof each === "string" ? message(each) : each));
  const { remaining, ...result } = await rule(messages, 0);
  return { ...result, asked, marks, remaining: remaining.map(({ body }) => body) };
}

describe("the messages of the queue of status", () => {
  it("a message that is none of Sluice stays, and is counted", async () => {
    const bodies = ["{", "{}", '{"kind":"other"}', '{"kind":"ledger"}', ledgerAt(1)];

    const outcome = await run(bodies);

    expect(outcome.remaining).toEqual(bodies.slice(0, 4));
    expect(outcome).toMatchObject({ level: "warn", fields: { failedMessages: 4, unreadable: 4 } });
  });

  it("the messages of an invocation that ask for the mark of stored events change it once, and beside a snapshot", async () => {
    const mark = JSON.stringify({ kind: "mark" });

    expect(await run([mark, ledgerAt(5), mark])).toMatchObject({ marks: 1, asked: [5], remaining: [], level: "info" });
    expect(await run([ledgerAt(5)])).toMatchObject({ marks: 0 });
  });

  it("the messages that ask for the mark stay while the table does not answer, and no other message", async () => {
    const mark = JSON.stringify({ kind: "mark" });

    expect(await run([mark, ledgerAt(5), mark], undefined, undefined, false)).toMatchObject({
      asked: [5],
      remaining: [mark, mark],
      level: "warn",
      fields: { failedMessages: 2, reason: "table_unavailable" },
    });
  });

  it("the messages of an invocation that ask for a snapshot are one request, for the latest time", async () => {
    expect(await run([ledgerAt(5), ledgerAt(9), ledgerAt(7)])).toMatchObject({
      asked: [9],
      remaining: [],
      level: "info",
      fields: { ledger: { outcome: "fresh" } },
    });
  });

  it("a message that comes again asks for a snapshot of now, whatever was taken since", async () => {
    expect(await run([ledgerAt(5), message(ledgerAt(3), 2)])).toMatchObject({ asked: [NOW] });
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

  it("refusals are counted together, and their messages are done", async () => {
    const counted: string[][] = [];
    const count = async (messages: readonly RefusalsMessage[]) => void counted.push(messages.map(({ id }) => id));

    const outcome = await run([refusals("a", 2), ledgerAt(1), refusals("b", 3)], undefined, count);

    expect(counted).toEqual([["a", "b"]]);
    expect(outcome).toMatchObject({
      asked: [1],
      remaining: [],
      level: "info",
      fields: { failedMessages: 0, refusals: 5 },
    });
  });

  it("refusals whose table does not answer come again, and no other message does", async () => {
    const count = () => Promise.reject(new AccessError("DynamoDB did not answer a call."));

    expect(await run([ledgerAt(1), refusals("a", 2)], undefined, count)).toMatchObject({
      asked: [1],
      remaining: [refusals("a", 2)],
      level: "warn",
      fields: { failedMessages: 1, reason: "table_unavailable" },
    });
  });

  it("a fault of ours while refusals are counted fails the invocation", async () => {
    const count = () => Promise.reject(new TypeError("a fault"));

    await expect(run([refusals("a", 2)], undefined, count)).rejects.toThrow("a fault");
  });
});
