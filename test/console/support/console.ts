import type { Browser, BrowserContextOptions, Page } from "playwright-core";
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
  /**
   * Opens a screen, by default as an admin of the tenant `default`, for a test that ends with it. No fault may be on the page
   * then.
   */
  visit: (hash: string, use: (page: Page) => Promise<void>, options?: OpenOptions) => Promise<void>;
  /** Calls the API as an admin of the tenant `default`. @returns the answer's JSON; @throws where its status is 300 or above */
  call: <Answer>(method: string, path: string, body?: unknown) => Promise<Answer>;
  close: () => Promise<void>;
};

type OpenOptions = { key?: string; expected?: readonly number[] } & BrowserContextOptions;

export async function startConsole(hooks: Parameters<typeof startTestRuntime>[1] = {}): Promise<Console> {
  const [runtime, browser] = await Promise.all([startTestRuntime(undefined, hooks), startBrowser()]);
  const { url: origin, installationKey, apiKey } = runtime.addresses;

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
    async visit(hash, use, options) {
      const { page, faults, close } = await open(hash, { key: apiKey, ...options });
      try {
        await use(page);
        expect(faults()).toEqual([]);
      } catch (error) {
        // The screen as it was says more than the place in the test.
        const text = await page
          .locator("body")
          .innerText()
          .catch(() => "");
        throw new Error(`${String(error)}\n${faults().join("\n")}\nThe page:\n${text.slice(0, 3_000)}`, {
          cause: error,
        });
      } finally {
        await close();
      }
    },
    async call<Answer>(method: string, path: string, body?: unknown) {
      const response = await fetch(`${origin}${path}`, {
        method,
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as Answer;
    },
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
