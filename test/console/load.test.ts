import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { CHROMIUM, startBrowser } from "./support/browser.ts";

describe.skipIf(CHROMIUM === undefined)("the page", () => {
  let runtime: TestRuntime;
  let browser: Browser;
  beforeAll(async () => {
    [runtime, browser] = await Promise.all([startTestRuntime(), startBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await runtime?.remove();
  });

  it("the page draws its frame", async () => {
    const page = await browser.newPage();
    await page.goto(`${runtime.addresses.url}/console`);

    await page.getByRole("heading", { level: 1 }).waitFor();
    expect(await page.title()).toBe("Sluice");
  });
});
