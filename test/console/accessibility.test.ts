import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { accessibilityFaults, sidewaysScroll } from "./support/accessibility.ts";
import { PHONE } from "./support/browser.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { fill, type Sample, screensOf } from "./support/sample.ts";
import { shown } from "./support/shown.ts";

const NONE: Sample = {
  event: "",
  deadLetter: "none",
  subscription: "none",
  key: "none",
  replay: "none",
  export: "none",
};
const NAMES = Object.keys(screensOf(NONE));
/** Screens that an empty stack has too. */
const FIRST = NAMES.filter(
  (name) => !["event", "type", "dead-letter", "job", "subscription", "key", "new-subscription"].includes(name),
);
const DESKTOP = { width: 1_280, height: 900 };

describe.skipIf(CHROMIUM === undefined)("everybody can use the page", () => {
  let console: Console;
  let receiver: WebhookReceiver;
  let sample: Sample;
  let empty: string;
  beforeAll(async () => {
    [console, receiver] = await Promise.all([startConsole(), startWebhookReceiver()]);
    sample = await fill(console, receiver);
    empty = (await console.createKey({ tenant: "empty", role: "admin" })).key;
  });
  afterAll(async () => {
    await receiver?.stop();
    await console?.close();
  });

  /** Finds no fault of accessibility on a screen in either theme, on a desktop and on a phone, and no sideways scroll there. */
  async function examine(page: Page, hash: string): Promise<void> {
    await page.setViewportSize(DESKTOP);
    await shown(page, hash);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.setViewportSize(PHONE);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await sidewaysScroll(page)).toBe(0);
  }

  it.each(NAMES)("the screen has no fault of accessibility in either theme and at either width: %s", async (name) => {
    await console.visit("#/jobs", (page) => examine(page, screensOf(sample)[name] ?? ""));
  });

  it("the empty screens have none either", async () => {
    await console.visit(
      "#/jobs",
      async (page) => {
        for (const name of FIRST) await examine(page, screensOf(NONE)[name] ?? "");
      },
      { key: empty },
    );
  }, 300_000);

  it("a screen that the session may not use says so without a fault", async () => {
    const { key } = await console.createKey({ tenant: "default", role: "reader" });
    await console.visit(
      "#/keys",
      async (page) => {
        await page.getByText("This needs the scope keys").waitFor();
        await examine(page, "#/keys");
      },
      { key },
    );
  });

  it("a dialog has no fault, keeps the focus, and gives it back", async () => {
    await console.visit("#/keys", async (page) => {
      const button = page.getByRole("button", { name: "New key…" });
      await button.press("Enter");
      await page.getByRole("dialog").waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await isFocused(button)).toBe(true);
    });
  });

  it("a key is made and revoked by the keyboard alone", async () => {
    await console.visit("#/overview", async (page) => {
      await tabTo(page, page.getByRole("navigation").getByRole("link", { name: "Keys" }));
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "checkout, production" }).waitFor();
      await tabTo(page, page.getByRole("button", { name: "New key…" }));
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await tabTo(page, page.getByLabel("Name, for people"));
      await page.keyboard.type("by hand");
      await page.keyboard.press("Enter");
      const kept = page.getByLabel("I have kept it");
      await kept.waitFor();
      await tabTo(page, kept);
      await page.keyboard.press("Space");
      await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Close" }).last());
      await page.keyboard.press("Enter");
      const made = page.getByRole("link", { name: "by hand" });
      await made.waitFor();
      await tabTo(page, made);
      await page.keyboard.press("Enter");
      const revoke = page.getByRole("button", { name: "Revoke…" });
      await revoke.waitFor();
      await tabTo(page, revoke);
      await page.keyboard.press("Enter");
      await tabTo(page, page.locator("input[name=count]"));
      await page.keyboard.type("1");
      await page.keyboard.press("Enter");
      await page.locator("h1").getByText("revoked").waitFor();
    });
  });
});

const isFocused = (locator: Locator) => locator.evaluate((element) => element === document.activeElement);

/** Presses Tab until something has the focus, where it has to be seen. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await isFocused(wanted)) {
      const outline = await wanted.evaluate((element) => {
        const { outlineStyle, boxShadow } = getComputedStyle(element);
        return outlineStyle !== "none" || boxShadow !== "none";
      });
      expect(outline).toBe(true);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error("Sixty times Tab do not reach it.");
}
