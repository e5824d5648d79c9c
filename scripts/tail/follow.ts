import { elementTexts } from "../../functions/core/json-spans.ts";
import * as z from "zod";
import { reasonOf } from "../../cli/reason-of.ts";
import { problem } from "../../functions/core/answer.ts";
import { FEED_WAIT_MAX_SECONDS } from "../../functions/core/feed-limits.ts";

/** The API, the key that requests carry, and the tenant in whose place a key of the installation asks. */
export type Api = { url: string; key: string; tenant?: string | undefined };

export type FollowOptions = {
  /** A cursor, or `start`. @default from now on */
  after: string | undefined;
  /** Parameters of the filter. */
  filter: readonly (readonly [name: string, value: string])[];
  limit: number;
  /** Ends the following; a wait is broken off. */
  signal: AbortSignal;
  /** Called before each pause. */
  onRetry: (why: string) => void;
  pause: (milliseconds: number) => Promise<unknown>;
};

export type FeedPart = {
  /** The JSON text of each event, as the API wrote it. */
  events: string[];
  /** The cursor that goes on behind them. */
  next: string;
  lagMs: number;
};

/** An answer after which another try would be the same. */
class FollowError extends Error {
  override readonly name = "FollowError";
}

/** Longer than the wait, which API Gateway ends after 29 seconds. */
const REQUEST_TIMEOUT_MS = 60_000;

const LONGEST_PAUSE_SECONDS = 30;

/** Bounds of `Retry-After`: an API asks for seconds. */
const RETRY_AFTER_SECONDS = { least: 1, most: 60 };

/** The rest of an answer, beside its events. */
const answerRest = z.object({ next: z.string(), lagMs: z.number() });

/**
 * Follows the feed, answer by answer, until the signal ends it. Where the API does not answer, or says 429 or 5xx, it asks
 * again with the same cursor, after `Retry-After` or a doubling pause: nothing is missed.
 * @throws FollowError for any other refusal, with the API's own words
 */
export async function* follow(api: Api, options: FollowOptions): AsyncGenerator<FeedPart> {
  const { signal, onRetry, pause } = options;
  let { after } = options;
  let failures = 0;
  while (!signal.aborted) {
    const asked = await ask(api, after, options);
    if (signal.aborted) return;
    if ("part" in asked) {
      failures = 0;
      after = asked.part.next;
      yield asked.part;
      continue;
    }
    const seconds = pauseAfter(failures, asked.retryAfter);
    failures += 1;
    onRetry(`${asked.why}; again in ${seconds} s`);
    await pause(1_000 * seconds);
  }
}

function pauseAfter(failures: number, retryAfter: number | undefined): number {
  if (retryAfter === undefined) return Math.min(2 ** failures, LONGEST_PAUSE_SECONDS);
  return Math.min(Math.max(retryAfter, RETRY_AFTER_SECONDS.least), RETRY_AFTER_SECONDS.most);
}

type Asked = { part: FeedPart } | { why: string; retryAfter: number | undefined };

async function ask({ url, key, tenant }: Api, after: string | undefined, options: FollowOptions): Promise<Asked> {
  const { filter, limit, signal } = options;
  const address = new URL(`${url}/feed`);
  if (after !== undefined) address.searchParams.set("after", after);
  // Without a cursor the answer is a cursor alone: it has to come before the first wait, or a broken wait would lose its place.
  if (after !== undefined) address.searchParams.set("wait", String(FEED_WAIT_MAX_SECONDS));
  address.searchParams.set("limit", String(limit));
  for (const [name, value] of filter) address.searchParams.append(name, value);
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, {
      headers: { authorization: `Bearer ${key}`, ...(tenant !== undefined && { "sluice-tenant": tenant }) },
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    text = await response.text();
  } catch (error) {
    return { why: `no answer from ${url}: ${reasonOf(error)}`, retryAfter: undefined };
  }
  const { status } = response;
  if (status === 200) return { part: toPart(text, url) };
  const { code, detail } = problem.partial().safeParse(parse(text)).data ?? {};
  const why = code === undefined ? `HTTP ${status}` : `HTTP ${status} ${code}: ${detail}`;
  if (status !== 429 && status < 500) {
    throw new FollowError(code === undefined ? `${url} is not the API of Sluice: ${why}. Check the URL.` : why);
  }
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return { why, retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined };
}

/** Takes the events out of an answer as text, so that no digit of a number changes. */
function toPart(text: string, url: string): FeedPart {
  const rest = answerRest.safeParse(parse(text));
  const events = text.startsWith(BEGINNING) ? elementTexts(text, BEGINNING.length - 1) : undefined;
  if (!rest.success || events === undefined) {
    throw new FollowError(`${url} is not the API of Sluice, or of another version: GET /feed has another answer.`);
  }
  return { events, ...rest.data };
}

const BEGINNING = '{"events":[';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
