import type { Browser, BrowserContextOptions } from "playwright-core";
import { expect } from "vitest";
import { startTestRuntime, type TestRuntime } from "../../support/runtime.ts";
import { openPage, startBrowser, type WatchedPage } from "./browser.ts";

/** A stack on this machine with a browser beside it. */
export type Console = {
  runtime: TestRuntime;
  browser: Browser;
  /** Makes a key, and its tenant if there is none of that name. */
  createKey: (
    settings: { tenant: string; role: string } & Record<string, unknown>,
  ) => Promise<{ id: string; key: string }>;
  /**
   * Opens the page as somebody who is signed in by a link, on a screen (`#/events?type=…`).
   * @param options.key @default the key of the installation
   * @param options.expected the statuses of 400 and above that the test brings about
   */
  open: (hash?: string, options?: OpenOptions) => Promise<WatchedPage>;
  close: () => Promise<void>;
};

type OpenOptions = { key?: string; expected?: readonly number[] } & BrowserContextOptions;

export async function startConsole(): Promise<Console> {
  const [runtime, browser] = await Promise.all([startTestRuntime(), startBrowser()]);
  const { url: origin, installationKey } = runtime.addresses;

  const open: Console["open"] = async (hash, { key = installationKey, ...options } = {}) => {
    const watched = await openPage(browser, { origin, ...options });
    const { page } = watched;
    const signedIn = page.waitForResponse((response) => response.url() === `${origin}/console/sessions`);
    await page.goto(await signInLink(origin, key));
    expect((await signedIn).status()).toBe(201);
    await page.locator("main:not(.sign-in)").waitFor();
    if (hash !== undefined) await page.evaluate((wanted) => void (location.hash = wanted), hash);
    return watched;
  };

  return {
    runtime,
    browser,
    open,
    async createKey(settings) {
      const response = await fetch(`${origin}/keys`, {
        method: "POST",
        headers: { authorization: `Bearer ${installationKey}`, "content-type": "application/json" },
        body: JSON.stringify(settings),
      });
      expect(response.status).toBe(201);
      return (await response.json()) as { id: string; key: string };
    },
    async close() {
      await browser.close();
      await runtime.remove();
    },
  };
}

/** A link that signs in once, as `npm run console` prints it. */
export async function signInLink(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/console/codes`, { method: "POST", headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(201);
  const { code } = (await response.json()) as { code: string };
  return `${url}/console#/sign-in?code=${code}`;
}
