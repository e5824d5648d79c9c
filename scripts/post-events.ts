import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import type { EventLine } from "./event-lines.ts";

const verdict = z.object({
  index: z.int(),
  id: z.string().optional(),
  status: z.enum(["accepted", "invalid", "duplicate", "retry"]),
  errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })).optional(),
});
const answer = z.object({ results: z.array(verdict) });
const problem = z.object({
  code: z.string().optional(),
  detail: z.string().optional(),
  results: z.array(verdict).optional(),
});

export type LineOutcome = { line: number; status: "accepted" | "duplicate" | "invalid" | "unsent"; why: string };

const MAX_ATTEMPTS = 8;
const LONGEST_PAUSE_SECONDS = 30;

/**
 * Posts one request and answers for each of its lines. What the API says may be sent again (`retry`, 429, 5xx, no
 * answer) is sent again, after `Retry-After` or a doubling pause; the events keep their ids, so none is stored twice.
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
      const judged = posted.verdicts.get(index);
      if (judged === undefined || judged.status === "retry") again.push(each);
      else outcomes.push({ line: each.line, status: judged.status, why: explain(judged.errors) });
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
  verdicts: Map<number, z.output<typeof verdict>>;
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
  const results = answer.safeParse(body).data?.results ?? problem.safeParse(body).data?.results ?? [];
  const { code, detail } = problem.safeParse(body).data ?? {};
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

function explain(errors: z.output<typeof verdict>["errors"] = []): string {
  return errors.map(({ path, message }) => `${path === "" ? "event" : path} ${message}`).join("; ");
}
