import { outcomesOf, type Answer } from "../checker/answer-outcomes.ts";
import type { FaultScenario } from "./fault-scenario.ts";

/** Events that keep coming at a steady rate, whatever becomes of them. */
export type Arrivals = {
  /** Of every request so far, repetitions included; undefined where none came. */
  answers: Answer[];
  /** Sends no more, and waits until every event sent is accepted. */
  stop: () => Promise<void>;
};

type Rate = { requestsPerSecond: number; perRequest: number };

/** An open loop: the next request is sent when it is due, also while those before have no answer. */
export function startArrivals(scenario: FaultScenario, { requestsPerSecond, perRequest }: Rate): Arrivals {
  const answers: Answer[] = [];
  const started = performance.now();
  const sent: Promise<void>[] = [];
  const sendDue = () => {
    const due = 1 + Math.floor((requestsPerSecond * (performance.now() - started)) / 1_000);
    while (sent.length < due) {
      const delivery = scenario.deliver(scenario.events(perRequest), {
        perRequest,
        connections: 1,
        onAnswer: (answer) => answers.push(answer),
      });
      // It is awaited at the end, but may fail before that.
      delivery.catch(() => undefined);
      sent.push(delivery);
    }
  };
  sendDue();
  const timer = setInterval(sendDue, 1_000 / requestsPerSecond);
  return {
    answers,
    async stop() {
      clearInterval(timer);
      await Promise.all(sent);
    },
  };
}

/** The answers of ingest other than 202, a line for each kind; empty where every request was accepted. */
export function refusals(answers: readonly Answer[]): string[] {
  const others = answers.filter((answer) => answer?.status !== 202);
  return [...new Set(others.map((answer) => `${answer?.status ?? "no answer"}: ${String(outcomesOf(answer))}`))];
}
