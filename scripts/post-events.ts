import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { ingestAnswer, problem, type verdict } from "../functions/core/answer.ts";
import type { EventLine } from "./event-lines.ts";

type Verdict = z.output<typeof verdict>;

/** A problem document has results too when the queue is down; something in between may answer with less. */
const withResults = ingestAnswer.pick({ results: true });
const reason = problem.pick({ code: true, detail: true }).partial();

export type LineOutcome = { line: number; status: Exclude<Verdict["status"], "retry"> | "unsent"; why: string };

const MAX_ATTEMPTS = 8;
const LONGEST_PAUSE_SECONDS = 30;

/**
 * Posts one request and returns an outcome for each of its lines. Events that may be sent again (`retry`, 429, 5xx, no
 * answer) are sent again, after `Retry-After` or a doubling pause. They keep their ids, so none is stored twice.
 */
export async function postEvents(
  url: string,
  lines: EventLine[],
  onRetry: (why: string) => void,
): Promise<LineOutcome[]> {
  const outcomes: LineOutcome[] = [];
  let open = lines;
  let why = "";
  for (let attempt = 1; open.length > 0 && attempt <= MAX_ATTEMPTS; attempt++) {
    const posted = await postOnce(url, open);
    why = posted.why;
    const again: EventLine[] = [];
    for (const [index, each] of open.entries()) {
      const { status, errors } = posted.verdicts.get(index) ?? { status: "retry" };
      if (status === "retry") again.push(each);
      else outcomes.push({ line: each.line, status, why: explain(errors) });
    }
    if (posted.final) {
      for (const each of again) outcomes.push({ line: each.line, status: "unsent", why });
      return outcomes;
    }
    open = again;
    if (open.length > 0 && attempt < MAX_ATTEMPTS) {
      const seconds = posted.retryAfter ?? Math.min(2 ** (attempt - 1), LONGEST_PAUSE_SECONDS);
      onRetry(`${why}; ${open.length} events again in ${seconds} s`);
      await delay(1_000 * seconds);
    }
  }
  for (const each of open) outcomes.push({ line: each.line, status: "unsent", why });
  return outcomes;
}

type Posted = {
  verdicts: Map<number, Pick<Verdict, "status" | "errors">>;
  /** Sending the rest again would not help. */
  final: boolean;
  retryAfter: number | undefined;
  why: string;
};

async function postOnce(url: string, lines: EventLine[]): Promise<Posted> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `[${lines.map(({ json }) => json).join(",")}]`,
    });
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { verdicts: new Map(), final: false, retryAfter: undefined, why: `no answer from ${url}: ${cause}` };
  }
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const body = parse(text);
  const results = withResults.safeParse(body).data?.results ?? [];
  const { code, detail } = reason.safeParse(body).data ?? {};
  return {
    verdicts: new Map(results.map((each) => [each.index, each])),
    final: response.status < 500 && response.status !== 429 && results.length === 0,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
    why: `HTTP ${response.status}${code === undefined ? "" : ` ${code}`}${detail === undefined ? "" : `: ${detail}`}`,
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
