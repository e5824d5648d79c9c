import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { accessibilityFaults, sidewaysScroll } from "./support/accessibility.ts";
import { PHONE } from "./support/browser.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { fill, type Sample, screensOf } from "./support/sample.ts";
import { shown } from "./support/shown.ts";

/** A window of 1,280 by 900 at 200 %: half as many CSS pixels, each of two. */
const ZOOMED = { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 };

/** Longer than a screen takes from an answer to its next request. */
const QUIET_MS = 700;

describe.skipIf(CHROMIUM === undefined)("the screens and their dialogs", () => {
  let console: Console;
  let receiver: WebhookReceiver;
  let sample: Sample;
  beforeAll(async () => {
    [console, receiver] = await Promise.all([startConsole(), startWebhookReceiver()]);
    sample = await fill(console, receiver);
  });
  afterAll(async () => {
    await receiver?.stop();
    await console?.close();
  });

  const DIALOGS: readonly [name: string, hash: () => string, ...buttons: (string | RegExp)[]][] = [
    ["a new key", () => "#/keys", "New key…"],
    ["the text of a key, shown once", () => "#/keys", "New key…", "Make the key"],
    ["the rotation of a key", () => `#/keys/${sample.key}`, /^Rotate/],
    ["the revocation of a key", () => `#/keys/${sample.key}`, /^Revoke/],
    ["a new export", () => "#/jobs/exports", "New export…", "Count"],
    ["a replay", () => "#/dead-letters?view=list", "Replay all…"],
    ["a discard", () => "#/dead-letters?view=list&type=com.example.order.placed", "Discard all…"],
    ["the deletion of a subscription", () => `#/subscriptions/${sample.subscription}`, "Delete…"],
    ["a seek", () => `#/subscriptions/${sample.subscription}`, "Deliver again…"],
    ["the rotation of a secret", () => `#/subscriptions/${sample.subscription}`, "Rotate secret…"],
    ["the settings of a subscription", () => `#/subscriptions/${sample.subscription}/settings`, "Change…"],
    ["an event", () => `#/events/${sample.event}`],
    ["a type", () => "#/types/com.example.order.placed"],
    ["another condition", () => "#/events", /Filter$/],
  ];

  it.each(DIALOGS)(
    "no fault of accessibility in either theme, and nothing beside the window of a phone: %s",
    async (_name, hash, ...buttons) => {
      await console.visit("#/jobs", async (page) => {
        await shown(page, hash());
        for (const name of buttons)
          await page
            .getByRole("button", { name, exact: typeof name === "string" })
            .last()
            .click();
        await page.waitForFunction(() => document.querySelector("dialog, [popover]:popover-open, form") !== null);
        await page.waitForFunction(() => document.querySelector(".loading, .stale") === null);

        expect(await accessibilityFaults(page)).toEqual([]);
        await page.setViewportSize(PHONE);
        expect(await sidewaysScroll(page)).toBe(0);
        expect(await cutOff(page)).toEqual([]);
      });
    },
  );

  it("at 200 % every screen has its content without sideways scroll", async () => {
    await console.visit(
      "#/jobs",
      async (page) => {
        for (const [name, hash] of Object.entries(screensOf(sample))) {
          await shown(page, hash);
          expect([name, await sidewaysScroll(page), await cutOff(page)]).toEqual([name, 0, []]);
        }
      },
      ZOOMED,
    );
  });

  it("text of twice the size leaves every screen without sideways scroll", async () => {
    await console.visit("#/jobs", async (page) => {
      await page.evaluate(() => void (document.documentElement.style.fontSize = "200%"));
      for (const [name, hash] of Object.entries(screensOf(sample))) {
        await shown(page, hash);
        expect([name, await sidewaysScroll(page)]).toEqual([name, 0]);
      }
    });
  });

  it("no screen asks anything in a hidden tab", async () => {
    await console.visit("#/jobs/exports", async (page) => {
      const [requests, asked]: [string[], string[]] = [[], []];
      let lastAt = 0;
      page.on("request", (request) => {
        requests.push(request.url());
        lastAt = Date.now();
      });
      const isQuiet = () =>
        eventually(
          () => Date.now() - lastAt,
          (milliseconds) => milliseconds > QUIET_MS,
        );
      await page.clock.install();
      for (const [name, hash] of Object.entries(screensOf(sample))) {
        await show(page, "visible");
        await page.evaluate((wanted) => void (location.hash = wanted), hash);
        await page.clock.runFor("00:20");
        await isQuiet();
        if (requests.length > 0) asked.push(name);
        await show(page, "hidden");
        await isQuiet();

        requests.length = 0;
        await page.clock.runFor("15:00");
        await isQuiet();
        expect([name, ...requests]).toEqual([name]);
      }
      // A form asks nothing before it is sent.
      expect(asked).toEqual(Object.keys(screensOf(sample)).filter((name) => name !== "new-subscription"));
    });
  });
});

/** Lets a page believe that its tab is hidden, or seen again. */
const show = (page: Page, state: "hidden" | "visible") =>
  page.evaluate((wanted) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => wanted });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);

/** The buttons and inputs that stand outside the window to its side, where nobody can scroll to them. */
const cutOff = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, input, select, textarea, a")]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .filter((element) => element.closest(".visually-hidden, .skip, .scroll, .table, nav, pre") === null)
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 0 && (left < -1 || right > innerWidth + 1);
      })
      .map((element) => element.outerHTML.slice(0, 120)),
  );
