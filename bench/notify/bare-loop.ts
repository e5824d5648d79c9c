import { answerParent, startChild } from "./child.ts";
import type { Webhook } from "./receiver.ts";

type Loop = { url: string; webhooks: readonly Webhook[]; requests: number; concurrency: number };

export type BareLoop = {
  /** Posts the webhooks again and again, and gives requests per second. @throws Error unless each answer is 204 */
  run: (loop: Loop) => Promise<number>;
  stop: () => Promise<void>;
};

/** Starts the baseline of deliveries: a loop of `fetch` in a process of its own, as the function is. It stores and signs nothing. */
export function startBareLoop(): BareLoop {
  const child = startChild<Loop, number | string>(import.meta.filename);
  return {
    async run(loop) {
      const answer = await child.ask(loop);
      if (typeof answer === "string") throw new Error(`The bare loop failed: ${answer}`);
      return answer;
    },
    stop: child.stop,
  };
}

async function loop({ url, webhooks, requests, concurrency }: Loop): Promise<number> {
  const sent = webhooks.map(({ headers, body }) => ({
    method: "POST",
    headers: Object.entries(headers)
      .filter(([name]) => name.startsWith("webhook-") || name === "content-type" || name === "user-agent")
      .map(([name, value]): [string, string] => [name, String(value)]),
    body,
  }));
  let next = 0;
  const post = async () => {
    for (let index = next++; index < requests; index = next++) {
      const response = await fetch(url, sent[index % sent.length]);
      await response.arrayBuffer();
      if (response.status !== 204) throw new Error(`A request was answered ${response.status}.`);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, post));
  return (1_000 * requests) / (performance.now() - started);
}

if (import.meta.main) answerParent((given: Loop) => loop(given).catch((error: unknown) => String(error)));
