import { setTimeout as delay } from "node:timers/promises";
import { LIST_MAX_EVENTS } from "../../functions/core/list-limits.ts";
import { RETRY_AFTER_SECONDS } from "../../functions/core/limits.ts";
import { ApiError, type ApiClient } from "../access/api-client.ts";
import { type Page, readPage } from "./read-page.ts";

/** The parameters of `GET /events` beside `limit` and `cursor`. */
export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A page is asked for again after an outage or a limit, so many times in a row. */
const MAX_ATTEMPTS = 6;

/**
 * The pages of a list from a cursor on, until it ends, has enough events or is interrupted. A page that is not complete is
 * one of them.
 * @throws ApiError for a refusal that no waiting repairs
 */
export async function* readPages(
  api: ApiClient,
  {
    parameters,
    tenant,
    most,
    signal,
    pauseMs = 1_000 * RETRY_AFTER_SECONDS,
    ...start
  }: {
    parameters: Parameters;
    tenant: string | undefined;
    /** @default all of them */
    most: number | undefined;
    cursor: string | undefined;
    signal: AbortSignal;
    /** Before a page is asked for again. @default the time that the API names */
    pauseMs?: number;
  },
): AsyncGenerator<Page> {
  let left = most ?? Number.POSITIVE_INFINITY;
  let { cursor } = start;
  do {
    const query = { ...parameters, cursor, limit: String(Math.min(left, LIST_MAX_EVENTS)) };
    const page = await readPatiently(
      () => api.callText({ method: "GET", path: "/events", query, tenant }),
      signal,
      pauseMs,
    );
    if (page === undefined) return;
    yield page;
    left -= page.events.length;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && left > 0 && !signal.aborted);
}

async function readPatiently(
  ask: () => Promise<string>,
  signal: AbortSignal,
  pauseMs: number,
): Promise<Page | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return readPage(await ask());
    } catch (error) {
      const helpsToWait = error instanceof ApiError && [429, 502, 503, 504].includes(error.status ?? 0);
      if (!helpsToWait || attempt === MAX_ATTEMPTS) throw error;
      process.stderr.write(`${error.message} Asking again in ${pauseMs / 1_000} s\n`);
      const waited = await delay(pauseMs, true, { signal }).catch(() => false);
      if (!waited) return undefined;
    }
  }
}
