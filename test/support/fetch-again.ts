import { setTimeout as delay } from "node:timers/promises";

/** With the pauses that the API asks for, enough for an emulator on a machine that is busy with other things. */
const TRIES = 10;

/**
 * `fetch` that sends a request again while the answer is that its key cannot be checked, as that answer asks: a function
 * waits for a table of keys for about a second. The last answer counts, so a table that never answers still fails a test.
 */
export async function fetchAgain(
  url: string | URL,
  init?: RequestInit,
  { send = fetch, pause = delay }: { send?: typeof fetch; pause?: (milliseconds: number) => Promise<unknown> } = {},
): Promise<Response> {
  for (let left = TRIES - 1; ; left--) {
    const response = await send(url, init);
    if (left === 0 || response.status !== 503) return response;
    if (!(await response.clone().text()).includes('"access_unavailable"')) return response;
    await pause(Number(response.headers.get("retry-after")) * 1_000);
  }
}
