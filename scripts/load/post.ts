import * as z from "zod";
import { ingestAnswer, problem } from "../../functions/core/answer.ts";
import type { Api } from "../send/post-events.ts";
import type { LoadEvent } from "./mix.ts";

/** The answer about an event. `unknown`: there is none, or `retry`; the event may have been enqueued all the same. */
export type LoadVerdict =
  | { event: LoadEvent; status: "accepted" }
  | { event: LoadEvent; status: "unknown" }
  | { event: LoadEvent; status: "refused"; code: string; why: string };

/** More than API Gateway's own 29 s. */
const ANSWER_MS = 35_000;

const answer = z.object({
  results: ingestAnswer.shape.results.optional(),
  ...problem.pick({ code: true, detail: true }).partial().shape,
});

/** Sends one request, once. With `?validate=only` the API answers the same, and enqueues nothing. */
export async function postOnce(
  { url, key, tenant }: Api,
  events: readonly LoadEvent[],
  query: "" | "?validate=only" = "",
): Promise<LoadVerdict[]> {
  const all = (verdict: { status: "unknown" } | { status: "refused"; code: string; why: string }) =>
    events.map((event) => ({ event, ...verdict }));
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${url}/events${query}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${key}`,
        ...(tenant !== undefined && { "sluice-tenant": tenant }),
      },
      body: `[${events.map(({ json }) => json).join(",")}]`,
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    body = await response.json();
  } catch {
    return all({ status: "unknown" });
  }
  const { results, code, detail = "" } = answer.safeParse(body).data ?? {};
  if (results === undefined) {
    if (response.status >= 500) return all({ status: "unknown" });
    return all({ status: "refused", code: code ?? `HTTP ${response.status}`, why: detail });
  }
  const byIndex = new Map(results.map((each) => [each.index, each]));
  return events.map((event, index): LoadVerdict => {
    const { status, errors = [] } = byIndex.get(index) ?? {};
    if (status === "accepted") return { event, status };
    if (status === "invalid") {
      const why = errors.map(({ path, message }) => `${path} ${message}`).join("; ");
      return { event, status: "refused", code: errors[0]?.code ?? "invalid", why };
    }
    return { event, status: "unknown" };
  });
}
