import { describe, expect, it } from "vitest";
import type { Notice, Notifier } from "../../../functions/core/notifier.ts";
import type { SinkType } from "../../../functions/core/subscription.ts";
import { deliveryOf, eventText, EXACT, newSecret, noticeOf } from "../notices.ts";

/**
 * `takes`: all that comes. `busy`: it refuses for now. `refuses`: for ever. `hangs`: it answers nothing. `drops`: it closes the
 * connection without an answer.
 */
export type SinkBehaviour = "takes" | "busy" | "refuses" | "hangs" | "drops";

export type NotifierUnderTest<Of extends SinkType> = {
  notifier: Notifier<Of>;
  /** A sink that takes all that comes. */
  sink: Notice<Of>["sink"];
  /** A sink that could never work. */
  badSink: Notice<Of>["sink"];
  behave: (behaviour: SinkBehaviour) => void;
  /** All texts that arrived at the sink. */
  received: () => Promise<readonly string[]>;
};

const HOSTILE = "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script><!channel>\u2028source: forged";
const SECRET_OF_THE_ANSWER = "answer-secret";

const soon = () => Date.now() + 10_000;

/** The contract of every notifier; `open` gives one whose sink has received nothing. */
export function describeNotifier<Of extends SinkType>(name: string, open: () => Promise<NotifierUnderTest<Of>>): void {
  describe(`a notifier of ${name}`, () => {
    const start = async (changes: Partial<Notice<Of>> & { timeoutMs?: number } = {}) => {
      const { sealed } = await newSecret();
      const under = await open();
      return { ...under, notice: noticeOf<Of>(under.sink, { secrets: [{ sealed }], ...changes }) };
    };

    it("delivers an event once, with every digit of its numbers", async () => {
      const { notifier, notice, received } = await start();

      const outcome = await notifier.notify(notice, soon());

      expect(outcome).toMatchObject({ kind: "delivered" });
      expect(outcome.error).toBeUndefined();
      const texts = await received();
      expect(texts).toHaveLength(1);
      expect(texts[0]).toContain(EXACT);
      expect(texts[0]).toContain("com.example.order");
    });

    it("delivers many notices at once", async () => {
      const { notifier, notice, received } = await start();
      const events = Array.from({ length: 30 }, (_, index) => eventText({ id: `order-${index}` }));

      const outcomes = await Promise.all(
        events.map((event) => notifier.notify({ ...notice, deliveries: [deliveryOf(event)] }, soon())),
      );

      expect(outcomes.map(({ kind }) => kind)).toEqual(events.map(() => "delivered"));
      const all = (await received()).join("\n");
      for (const index of events.keys()) expect(all).toMatch(new RegExp(`order-${index}\\b`));
    });

    it.each(["busy", "drops"] as const)(
      "tries again later where the sink is %s, and delivers then",
      async (behaviour) => {
        const { notifier, notice, behave, received } = await start();
        behave(behaviour);

        const outcome = await notifier.notify(notice, soon());

        expect(outcome).toMatchObject({ kind: "later", error: expect.any(String) });
        expect(outcome.error).not.toContain(SECRET_OF_THE_ANSWER);
        expect(await received()).toEqual([]);
        behave("takes");
        expect(await notifier.notify(notice, soon())).toMatchObject({ kind: "delivered" });
        expect(await received()).toHaveLength(1);
      },
    );

    it("tries no more where the sink refuses the event for ever", async () => {
      const { notifier, notice, behave } = await start();
      behave("refuses");

      const outcome = await notifier.notify(notice, soon());

      expect(outcome).toMatchObject({ kind: "never", error: expect.any(String) });
    });

    it.each([
      { bound: "the timeout of the subscription", timeoutMs: 300, deadlineMs: 10_000 },
      { bound: "the deadline", timeoutMs: 10_000, deadlineMs: 300 },
    ])("ends by $bound where the sink does not answer", async ({ timeoutMs, deadlineMs }) => {
      const { notifier, notice, behave } = await start({ timeoutMs });
      behave("hangs");
      const started = Date.now();

      const outcome = await notifier.notify(notice, Date.now() + deadlineMs);

      expect(outcome).toMatchObject({ kind: "later", error: expect.stringContaining("in time") });
      expect(Date.now() - started).toBeLessThan(2_000);
      behave("takes");
    });

    it("ends at once where the deadline is past", async () => {
      const { notifier, notice, behave } = await start();
      behave("hangs");

      expect(await notifier.notify(notice, Date.now() - 1_000)).toMatchObject({ kind: "later" });
      behave("takes");
    });

    it("sends one message to its sink, whatever the event has in its attributes", async () => {
      const { notifier, notice, received } = await start();
      const event = eventText({ type: HOSTILE, subject: HOSTILE, source: HOSTILE, id: HOSTILE });

      const subscription = { ...notice.subscription, name: HOSTILE };
      const outcome = await notifier.notify({ ...notice, subscription, deliveries: [deliveryOf(event)] }, soon());

      expect(outcome).toMatchObject({ kind: "delivered" });
      const texts = await received();
      expect(texts).toHaveLength(1);
      // Its line breaks are escaped or removed, so that none of its lines is read as a header or an attribute.
      expect(texts[0]).not.toMatch(/(?:^|[\r\n])(?:Bcc: victim|source: forged)/);
    });

    it("accepts its sink, and says of one that could never work why", async () => {
      const { notifier, sink, badSink } = await start();

      expect(await notifier.check(sink, soon())).toBeUndefined();
      expect(await notifier.check(badSink, soon())).toMatch(/\w{3}.*\./);
    });
  });
}
