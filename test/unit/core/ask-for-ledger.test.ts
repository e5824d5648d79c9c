import { describe, expect, it } from "vitest";
import { createAskForLedger } from "../../../functions/core/ask-for-ledger.ts";
import type { StatusMessage } from "../../../functions/core/status-message.ts";

const MINUTE = Date.parse("2026-11-30T09:30:00Z");

/** Asks at a time in seconds after the minute. */
function asking() {
  const sent: { message: StatusMessage; delaySeconds: number }[] = [];
  const queue = { answers: true };
  let now = 0;
  const ask = createAskForLedger({
    messages: {
      send: (message, delaySeconds) => {
        if (queue.answers) sent.push({ message, delaySeconds });
        return Promise.resolve(queue.answers);
      },
    },
    clock: () => new Date(now),
  });
  const at = (seconds: number) => {
    now = MINUTE + seconds * 1_000;
    return ask(now + 1_000);
  };
  return { sent, queue, at };
}

describe("to ask for a snapshot of the ledger", () => {
  it("a process asks once a minute, by a message that is delivered when the minute is over", async () => {
    const { sent, at } = asking();

    await at(5);
    await at(59.9);
    await at(60);

    expect(sent).toEqual([
      { message: { kind: "ledger", due: MINUTE + 62_000 }, delaySeconds: 57 },
      { message: { kind: "ledger", due: MINUTE + 122_000 }, delaySeconds: 62 },
    ]);
  });

  it("processes that ask in the same minute ask for the same snapshot", async () => {
    const [one, other] = [asking(), asking()];

    await one.at(1);
    await other.at(58);

    expect(other.sent[0]?.message).toEqual(one.sent[0]?.message);
  });

  it("a message that the queue did not confirm is sent by the next call", async () => {
    const { sent, queue, at } = asking();
    queue.answers = false;

    expect(await at(1)).toBe(false);
    queue.answers = true;
    expect(await at(2)).toBe(true);

    expect(sent).toHaveLength(1);
  });
});
