import * as z from "zod";

/**
 * Says where the operator's page is, with a link that signs a browser in, as `npm run console` prints it. Empty where the API
 * makes no code now: the greeting names that command.
 */
export async function pageLine({ url, installationKey }: { url: string; installationKey: string }): Promise<string> {
  try {
    const headers = { authorization: `Bearer ${installationKey}` };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`${url}/console/codes`, { method: "POST", headers, signal });
    if (response.status !== 201) return "";
    const { code } = made.parse(await response.json());
    return `The page, for five minutes and once: ${url}/console#/sign-in?code=${code}\n\n`;
  } catch {
    return "";
  }
}

/** A cold function takes some 300 ms. */
const TIMEOUT_MS = 10_000;

const made = z.object({ code: z.string() });
