import { reasonOf } from "../../cli/reason-of.ts";
import { schemas } from "../../functions/core/answer.ts";

/** A database that sleeps does not delay this answer, so a few seconds are enough for a cold start. */
const TIMEOUT_MS = 15_000;

/**
 * Makes sure, before the first event is sent, that the API answers at a URL. A status of 5xx is no fault here: the API may
 * work again by the time of the first request.
 * @param advice what to do where nothing answers
 * @throws Error that says what answers there instead
 */
export async function findApi(url: string, advice: string): Promise<void> {
  const address = `${url}/health`;
  let response: Response;
  try {
    response = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Error(`Nothing answers at ${url}: ${reasonOf(error)}. ${advice}`, { cause: error });
  }
  const text = await response.text().catch(() => "");
  const { status, headers } = response;
  if (status >= 500 || status === 429 || isHealth(text)) return;
  const location = headers.get("location");
  const target = location === null ? "" : `, which leads to ${location}`;
  throw new Error(
    `${url} is not the API of Sluice: GET ${address} answers ${status}${target}. Use the URL that \`npm start\` prints, or ApiUrl of the outputs file with its stage.`,
  );
}

function isHealth(text: string): boolean {
  try {
    return schemas.Health.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
