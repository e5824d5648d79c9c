import * as z from "zod";

/**
 * Makes a link that signs a browser in to the operator's page, as `npm run console` does. Undefined where the API makes no code
 * now: the greeting then names the command alone.
 */
export async function consoleLink({
  url,
  installationKey,
}: {
  url: string;
  installationKey: string;
}): Promise<string | undefined> {
  try {
    const headers = { authorization: `Bearer ${installationKey}` };
    const response = await fetch(`${url}/console/codes`, {
      method: "POST",
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return `${url}/console#/sign-in?code=${made.parse(await response.json()).code}`;
  } catch {
    return undefined;
  }
}

/** A cold function takes some 300 ms; nobody should wait for the greeting longer. */
const TIMEOUT_MS = 3_000;

const made = z.object({ code: z.string() });
