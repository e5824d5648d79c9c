import type { Page } from "playwright-core";

/** Goes to a screen, and waits until nothing of it is loading. */
export async function shown(page: Page, hash: string): Promise<void> {
  await page.evaluate((wanted) => void (location.hash = wanted), hash);
  await page.waitForFunction(
    () => document.querySelector("main h1, dialog h2") !== null && document.querySelector(".loading, .stale") === null,
  );
  // What was asked for by what has loaded just now.
  await page.waitForLoadState("networkidle", { timeout: 5_000 }).catch(() => undefined);
  await page.waitForFunction(() => document.querySelector(".loading, .stale") === null);
}
