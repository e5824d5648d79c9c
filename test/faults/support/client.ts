import { setTimeout as delay } from "node:timers/promises";
import { type Answer, outcomesOf } from "../checker/answer-outcomes.ts";
import { fingerprint } from "../checker/fingerprint.ts";
import type { History } from "../checker/history.ts";
import { call } from "../../support/http.ts";

/** An event as a client writes it; ids are always given, so that it can be sent again. */
export type SentEvent = { id: string; source: string; type: string; data: unknown };

export type Client = {
  /** Posts one request and records what it learned; undefined where no whole answer came. */
  post: (events: readonly SentEvent[]) => Promise<AnswerWithHeaders>;
  /** Posts events until each is accepted or refused for good, as a well-behaved producer does. */
  deliver: (events: readonly SentEvent[], options?: Delivery) => Promise<void>;
  /** When the last answer came or was given up, ms since the epoch. */
  lastAnswerAt: () => number;
};

export type AnswerWithHeaders = (Exclude<Answer, undefined> & { headers: Headers }) | undefined;

type Delivery = {
  perRequest?: number;
  connections?: number;
  /** Requests begun per second by all connections together; undefined = as fast as it goes. */
  requestsPerSecond?: number;
  /** Called with every answer, undefined where none came. */
  onAnswer?: (answer: AnswerWithHeaders) => void;
};

const TENANT = "default";
/** Above the API's own 29 s. */
const ANSWER_MS = 35_000;
const RETRY_MS = 250;
/** A minute of trying; a fault that lasts longer is the test's mistake. */
const MAX_TRIES = 240;

export function createClient(url: () => string, history: History): Client {
  let lastAnswerAt = Date.now();
  const post: Client["post"] = async (events) => {
    const attempts = events.map(({ source, id, data }) => ({
      tenant: TENANT,
      source,
      id,
      fingerprint: fingerprint(data),
    }));
    const answered = history.attempt(attempts, Date.now());
    const answer = await postOnce(url(), JSON.stringify(events));
    lastAnswerAt = Date.now();
    answered(outcomesOf(answer), lastAnswerAt);
    return answer;
  };

  return {
    post,
    lastAnswerAt: () => lastAnswerAt,
    async deliver(events, { perRequest = 20, connections = 8, requestsPerSecond, onAnswer } = {}) {
      const requests = Array.from({ length: Math.ceil(events.length / perRequest) }, (_, i) =>
        events.slice(i * perRequest, (i + 1) * perRequest),
      );
      const started = performance.now();
      const startOf = (index: number) =>
        requestsPerSecond === undefined ? 0 : started + (1_000 * index) / requestsPerSecond;
      let next = 0;
      const connection = async () => {
        for (let index = next++; index < requests.length; index = next++) {
          await delay(Math.max(0, startOf(index) - performance.now()));
          await deliverRequest(requests[index] ?? []);
        }
      };
      const deliverRequest = async (request: readonly SentEvent[]) => {
        let open = request;
        for (let tries = 1; open.length > 0; tries++) {
          const answer = await post(open);
          onAnswer?.(answer);
          const outcomes = outcomesOf(answer);
          open = open.filter((_, i) => (typeof outcomes === "string" ? outcomes : outcomes[i]) === "indeterminate");
          if (tries === MAX_TRIES) throw new Error(`${open.length} events could not be delivered in ${tries} tries.`);
          if (open.length > 0) await delay(RETRY_MS);
        }
      };
      await Promise.all(Array.from({ length: connections }, connection));
    },
  };
}

async function postOnce(url: string, body: string): Promise<AnswerWithHeaders> {
  try {
    const response = await call(`${url}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  } catch {
    return undefined;
  }
}
