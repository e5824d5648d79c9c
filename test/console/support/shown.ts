import type { Page } from "playwright-core";

/** Goes to a screen, and waits until it is there and nothing of it is loading. */
export async function shown(page: Page, hash: string): Promise<void> {
  await page.evaluate((wanted) => void (location.hash = wanted), hash);
  const screen = /^#\/([^/?]*)/.exec(hash)?.[1] ?? "";
  await page.waitForFunction(
    (wanted) =>
      document.querySelector<HTMLAnchorElement>('nav a[aria-current="page"]')?.hash.split(/[/?]/)[1] === wanted,
    screen,
  );
  await loaded(page);
  await loaded(page);
}

/** Waits until a screen has its title, is drawn, and loads nothing. */
async function loaded(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  await page.waitForFunction(
    () => document.querySelector("main h1, dialog h2") !== null && document.querySelector(".loading, .stale") === null,
  );
}
