import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { reasonOf } from "../../cli/reason-of.ts";
import { ingestAnswer, problem, type verdict } from "../../functions/core/answer.ts";
import type { EventLine } from "./event-lines.ts";

type Verdict = z.output<typeof verdict>;

/** A problem document has results too when the queue is down; something in between may answer with less. */
const withResults = ingestAnswer.pick({ results: true });
const reason = problem.pick({ code: true, detail: true }).partial();

export type LineOutcome = {
  line: number;
  status: Exclude<Verdict["status"], "retry"> | "unsent";
  why: string;
  /** The data was not checked: the catalog does not have the type or version. */
  unchecked?: true | undefined;
};

const MAX_ATTEMPTS = 8;
const LONGEST_PAUSE_SECONDS = 30;

/** A request and its answer on a slow line; API Gateway itself answers within 29 seconds. */
const REQUEST_TIMEOUT_MS = 120_000;

/** Bounds of `Retry-After`: an API asks for seconds, and a pause of none would use up the attempts at once. */
const RETRY_AFTER_SECONDS = { least: 1, most: 60 };

/** The API, and the key that its requests carry; with the tenant, where the key is one of the installation. */
export type Api = { url: string; key: string; tenant?: string | undefined };

export type PostOptions = {
  /** Called before each pause. */
  onRetry: (why: string) => void;
  /** Ends pauses and further attempts; a request under way is finished. */
  signal?: AbortSignal;
  wait?: (milliseconds: number) => Promise<unknown>;
};

/**
 * Posts one request and returns an outcome for each of its lines. Events that may be sent again (`retry`, 429, 5xx, no
 * answer) are sent again, after `Retry-After` or a doubling pause. They keep their ids, so none is stored twice. A request
 * that is too large is halved.
 */
export async function postEvents(api: Api, lines: EventLine[], options: PostOptions): Promise<LineOutcome[]> {
  const { onRetry, signal } = options;
  const { wait = (milliseconds: number) => delay(milliseconds, undefined, { signal }).catch(() => undefined) } =
    options;
  const outcomes: LineOutcome[] = [];
  let open = lines;
  let why = "";
  for (let attempt = 1; open.length > 0 && attempt <= MAX_ATTEMPTS; attempt++) {
    if (signal?.aborted) break;
    const before = open.length;
    const posted = await postOnce(api, open);
    why = posted.why;
    const again: EventLine[] = [];
    for (const [index, each] of open.entries()) {
      const { status, errors, unchecked } = posted.verdicts.get(index) ?? { status: "retry" };
      if (status === "retry") again.push(each);
      else outcomes.push({ line: each.line, status, why: explain(errors), unchecked });
    }
    if (posted.isTooLarge && again.length > 1) {
      const middle = Math.ceil(again.length / 2);
      for (const half of [again.slice(0, middle), again.slice(middle)])
        outcomes.push(...(await postEvents(api, half, options)));
      return outcomes;
    }
    open = again;
    if (posted.final) break;
    // Under a limit a part passes each time, and that is no failed attempt.
    if (open.length < before) attempt = 0;
    if (open.length > 0 && attempt < MAX_ATTEMPTS) {
      const { seconds, note } = pauseAfter(Math.max(attempt, 1), posted.retryAfter);
      onRetry(`${why}; ${open.length} events again in ${seconds} s${note}`);
      await wait(1_000 * seconds);
    }
  }
  for (const each of open) outcomes.push({ line: each.line, status: "unsent", why: signal?.aborted ? STOPPED : why });
  return outcomes;
}

const STOPPED = "the command was stopped";

/** The pause before the next attempt, and a note where it is not the one that the API asked for. */
function pauseAfter(attempt: number, retryAfter: number | undefined): { seconds: number; note: string } {
  if (retryAfter === undefined) return { seconds: Math.min(2 ** (attempt - 1), LONGEST_PAUSE_SECONDS), note: "" };
  const { least, most } = RETRY_AFTER_SECONDS;
  const seconds = Math.min(Math.max(retryAfter, least), most);
  return { seconds, note: seconds === retryAfter ? "" : ` (Retry-After asks for ${retryAfter} s)` };
}

type Posted = {
  verdicts: Map<number, Pick<Verdict, "status" | "errors" | "unchecked">>;
  /** Sending the rest again would not help. */
  final: boolean;
  /** The request as a whole is over a limit of the API, so fewer events may be accepted. */
  isTooLarge: boolean;
  retryAfter: number | undefined;
  why: string;
};

async function postOnce({ url, key, tenant }: Api, lines: EventLine[]): Promise<Posted> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}/events`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${key}`,
        ...(tenant !== undefined && { "sluice-tenant": tenant }),
      },
      body: `[${lines.map(({ json }) => json).join(",")}]`,
      // fetch would follow a redirect with a GET.
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    return {
      verdicts: new Map(),
      final: false,
      isTooLarge: false,
      retryAfter: undefined,
      why: `no answer from ${url}: ${reasonOf(error)}`,
    };
  }
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const body = parse(text);
  const results = withResults.safeParse(body).data?.results ?? [];
  const { code, detail } = reason.safeParse(body).data ?? {};
  return {
    verdicts: new Map(results.map((each) => [each.index, each])),
    isTooLarge: response.status === 413,
    final: response.status < 500 && response.status !== 429 && results.length === 0,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
    why: `HTTP ${response.status}${response.ok && results.length === 0 ? " without verdicts: this is not the API of Sluice" : ""}${code === undefined ? "" : ` ${code}`}${detail === undefined ? "" : `: ${detail}`}`,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function explain(errors: Verdict["errors"] = []): string {
  return errors.map(({ path, message }) => `${path === "" ? "event" : path} ${message}`).join("; ");
}
