import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { refuseText } from "./support/refuse-text.ts";

/** Texts that a fault of the page would run, hide or reverse. */
const TEXTS = [
  '<img src=x onerror="alert(1)">',
  "</script><script>alert(2)</script>",
  "safe\u202Egnp.exe\u2066\u0007",
  'javascript:alert(3)//"><svg onload=alert(4)>',
] as const;

/** Each screen with hostile events, beside the machine's other work. */
const SCREEN_MS = 10_000;

describe.skipIf(CHROMIUM === undefined)("hostile events on the page", () => {
  let console: Console;
  let receiver: WebhookReceiver;
  let subscriptionId: string;
  beforeAll(async () => {
    [console, receiver] = await Promise.all([startConsole(), startWebhookReceiver()]);
    receiver.answer(() => 500);
    const subscription = { name: TEXTS[0], sink: { type: "webhook", url: receiver.url } };
    ({ id: subscriptionId } = await console.call<{ id: string }>("POST", "/subscriptions", subscription));
    await console.call("POST", "/keys", { tenant: "default", role: "reader", name: TEXTS[0] });
    await console.call("POST", "/events", EVENTS);
    const accept = await refuseText(console.runtime, "dead");
    await console.call(
      "POST",
      "/events",
      EVENTS.map((event) => ({ ...event, id: `${event.id}!`, data: ["dead", event.data] })),
    );
    const refused = EVENTS.map((event) => ({ ...event, type: "com.example.order.placed" }));
    await console.call("POST", "/events", refused).catch(() => undefined);
    await eventually(
      async () =>
        (
          await console.runtime.query("select (select count(*) from events) + (select count(*) from dead_letters) as n")
        )[0],
      (row) => Number(row?.["n"]) === 2 * EVENTS.length,
    );
    await accept();
    await eventually(
      () => receiver.received.length,
      (count) => count > 0,
    );
  });
  afterAll(async () => {
    await receiver?.stop();
    await console?.close();
  });

  /** An event for each text, with the text in each place that the API takes. */
  const EVENTS = TEXTS.map((text, index) => ({
    id: `${index}${text}`,
    source: text,
    type: `t.${text}`,
    subject: text,
    hostile: text.replaceAll("\u0007", ""),
    data: { [text]: text, list: [text, { [text]: 1 }], long: `${text}${"x".repeat(10_000)}` },
  }));

  /** Finds that the text is there as text, and that nothing of it became a part of the document. */
  async function expectText(page: Page): Promise<void> {
    const [first] = TEXTS;
    await page.getByText(first.slice(0, 20)).first().waitFor();
    const parts = await page.evaluate(() => ({
      scripts: [...document.scripts].filter(({ src }) => !src.startsWith(location.origin)).length,
      elements: document.querySelectorAll("[onerror], [onload], main img, iframe, object, embed, base").length,
      links: [...document.links].filter(({ href }) => !href.startsWith(location.origin)).map(({ href }) => href),
      // Left as it is, the character reverses what stands behind it.
      reversed: document.body.innerText.includes("\u202E"),
    }));
    expect(parts).toEqual({ scripts: 0, elements: 0, links: [], reversed: false });
  }

  /** Shows a screen, and finds the text on it within its time. */
  const shows = (hash: string, use?: (page: Page) => Promise<void>) =>
    console.visit("#/jobs", async (page) => {
      const started = performance.now();
      await page.evaluate((wanted) => void (location.hash = wanted), hash);
      await use?.(page);
      await expectText(page);
      expect(performance.now() - started).toBeLessThanOrEqual(SCREEN_MS);
    });

  it("hostile text in every field is text in the list, in one event and in its views, and nothing runs", async () => {
    await shows("#/events");
    const [event] = EVENTS;
    const address = `#/events/${encodeURIComponent(event?.id ?? "")}/${encodeURIComponent(event?.source ?? "")}?column=%2Fdata`;
    await shows(address, async (page) => {
      const drawer = page.getByRole("dialog");
      await drawer.locator(".json").waitFor();
      for (const view of ["Raw", "Validate", "Neighbours", "Tree"]) {
        await drawer.getByRole("button", { name: view, exact: true }).click();
        await expectText(page);
      }
      await drawer.getByRole("button", { name: /^Filter by this value of subject/ }).click();
      await page.getByRole("button", { name: /^Remove subject/ }).waitFor();
    });
  });

  it("a character that reverses text is shown by its code", async () => {
    const reversing = EVENTS[2];
    await console.visit(`#/events?subject=${encodeURIComponent(TEXTS[2])}`, async (page) => {
      await page.getByText("U+202E").first().waitFor();
      expect(reversing?.subject).toContain("\u202E");
      expect(await page.locator("body").innerText()).not.toContain("\u202E");
    });
  });

  it("hostile text is text on the screens of types, refusals, dead letters, subscriptions, keys and the audit log", async () => {
    await shows("#/types");
    await shows(`#/types/${encodeURIComponent(EVENTS[0]?.type ?? "")}`);
    await shows("#/dead-letters?view=list");
    const [deadLetter] = await console.runtime.query(
      `select id from dead_letters where event_id = '${EVENTS[0]?.id.replaceAll("'", "''")}!'`,
    );
    await shows(`#/dead-letters/${String(deadLetter?.["id"])}?edit=1`);
    await shows(`#/dead-letters/${String(deadLetter?.["id"])}`);
    await shows("#/subscriptions");
    await shows(`#/subscriptions/${subscriptionId}`);
    await shows(`#/subscriptions/${subscriptionId}/deliveries`);
    await shows("#/keys");
    await shows("#/refusals", async (page) => {
      const causes = page.locator("main summary");
      await causes.first().waitFor();
      for (const cause of await causes.all()) await cause.click();
    });
    await shows("#/audit", (page) => page.locator("li", { hasText: "key.create" }).first().click());
  });

  it("Live shows hostile events as text", async () => {
    await shows("#/live", (page) => page.getByRole("button", { name: "From the start" }).click());
  });

  it("a filter of a million characters in the address leaves the page usable", async () => {
    await console.visit(
      "#/jobs",
      async (page) => {
        await page.evaluate(() => void (location.hash = `#/events?subject=${"x".repeat(1_000_000)}`));
        await page.getByRole("button", { name: /^Remove subject/ }).click();
        await page.getByRole("table", { name: "Events" }).waitFor();
      },
      { expected: [400, 413, 414, 431] },
    );
  });
});
