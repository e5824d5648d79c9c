import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENT_MAX_BYTES } from "../../functions/core/limits.ts";
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
const NODES_MAX = 3_000;

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

  /**
   * As long as an event may be: `POST /events` refuses more than 256 KB (functions/core/limits.ts), so no event has a million
   * characters. What has a million is what a person or a link can put into the page itself: an address and a field.
   */
  describe("at the largest size that the API takes", () => {
    const [, script] = TEXTS;
    const source = "/largest";
    const largest = (id: string, data: unknown) => ({ id, source, type: "t.largest", subject: script, data });
    const filled = (id: string, wrap: (text: string) => unknown) => {
      const room = EVENT_MAX_BYTES - Buffer.byteLength(JSON.stringify(largest(id, wrap("")))) - 200;
      return largest(id, wrap(script + "x".repeat(room - 2 * script.length)));
    };
    const events = [
      filled("one-text", (text) => ({ text })),
      filled("one-name", (text) => ({ [text]: 1 })),
      largest(
        "many-members",
        Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [`m${at}${script.slice(0, 4)}`, at])),
      ),
      largest("deep", JSON.parse(`${'{"a":'.repeat(60)}"${"x".repeat(200_000)}"${"}".repeat(60)}`)),
    ];
    let deadLetter: string;
    beforeAll(async () => {
      for (const event of events) await console.call("POST", "/events", event);
      await eventually(
        () => console.runtime.query(`select id from events where source = '${source}'`),
        (rows) => rows.length === events.length,
      );
      const end = await refuseText(console.runtime, "xxxxxxxx");
      await console.call(
        "POST",
        "/events",
        filled("dead-letter", (text) => ({ text })),
      );
      const [row] = await eventually(
        () => console.runtime.query("select id from dead_letters where event_id = 'dead-letter'"),
        (rows) => rows.length === 1,
      );
      deadLetter = String(row?.["id"]);
      await end();
    });

    /** Works on a screen, within its time, and finds nothing that ran. */
    const works = (hash: string, use: (page: Page) => Promise<void>) =>
      console.visit("#/jobs", async (page) => {
        const started = performance.now();
        await page.evaluate((wanted) => void (location.hash = wanted), hash);
        await use(page);
        expect(performance.now() - started).toBeLessThanOrEqual(SCREEN_MS);
        const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
        expect(nodes).toBeLessThanOrEqual(NODES_MAX);
      });

    it.each(events.map(({ id }) => id))("one event is shown in each of its views within the time: %s", async (id) => {
      await works(`#/events/${id}/${encodeURIComponent(source)}`, async (page) => {
        const drawer = page.getByRole("dialog");
        await drawer.locator(".json").waitFor();
        for (const view of ["Raw", "Neighbours", "Tree"]) {
          await drawer.getByRole("button", { name: view, exact: true }).click();
          await page.waitForFunction(() => document.querySelector("dialog .loading") === null);
        }
      });
    });

    it("the list shows them with a column of their data", async () => {
      await works(`#/events?source=${encodeURIComponent(source)}&column=%2Fdata%2Ftext`, async (page) => {
        await page.locator('a[href*="many-members"]').waitFor();
      });
    });

    it("Live shows them", async () => {
      await works(`#/live?source=${encodeURIComponent(source)}`, async (page) => {
        await page.getByRole("button", { name: "From the start" }).click();
        await page.getByText("many-members").first().waitFor();
      });
    });

    it("a type of them has its fields and sources", async () => {
      await works("#/types/t.largest", async (page) => {
        await page.getByRole("dialog").getByText(source).first().waitFor();
        await page.waitForFunction(() => document.querySelector("dialog .loading") === null);
      });
    });

    it("a dead letter of it is shown, and corrected in an editor", async () => {
      await works(`#/dead-letters/${deadLetter}?edit=1`, async (page) => {
        const text = page.locator("textarea[name=event]");
        const before = await text.inputValue();
        expect(before.length).toBeGreaterThan(200_000);
        await text.fill(before.replace('"t.largest"', '"t.corrected"'));
        await page.getByText("(1 line changed)").waitFor();
        await page.getByRole("button", { name: "Validate" }).click();
        await page.getByText("It is valid, and the dead letter is still open.").waitFor();
      });
    });

    it("an event that is sent as JSON is accepted and found", async () => {
      await works("#/send", async (page) => {
        await page.getByRole("button", { name: "JSON", exact: true }).click();
        await page.locator("textarea[name=event]").fill(JSON.stringify(filled("sent", (text) => ({ text }))));
        await page.getByRole("button", { name: "Validate" }).click();
        await page
          .getByText(/would be accepted|is valid/)
          .first()
          .waitFor();
      });
    });
  });

  const MILLION = "x".repeat(1_000_000);

  it.each([
    ["an id", () => `#/events?id=${MILLION}`, /^Remove id/],
    ["a value of the data", () => `#/events?data.n=${MILLION}`, /^Remove data/],
    ["a type", () => `#/live?type=${MILLION}`, /^Remove type/],
    ["a reason of dead letters", () => `#/dead-letters?view=list&id=${MILLION}`, /^Remove id/],
  ])("a million characters in the address leave the page usable: %s", async (_name, hash, remove) => {
    await console.visit(
      "#/jobs",
      async (page) => {
        const started = performance.now();
        await page.evaluate((wanted) => void (location.hash = wanted), hash());
        await page.getByRole("button", { name: remove }).click();
        await page.locator("main h1").waitFor();
        await page.getByText("The filter is too long").waitFor({ state: "detached" });
        expect(page.url().length).toBeLessThan(1_000);
        expect(performance.now() - started).toBeLessThanOrEqual(SCREEN_MS);
      },
      { expected: [400, 413, 414, 431] },
    );
  });

  it("a million characters in a field of a filter, of a form and of the sign-in leave the page usable", async () => {
    await console.visit(
      "#/events",
      async (page) => {
        const started = performance.now();
        await page.getByRole("button", { name: /Filter$/ }).click();
        const value = page.locator("dialog input, [popover] input, form input").last();
        await value.fill(MILLION);
        await page.getByRole("alert").getByText("262144 bytes, which is the limit").waitFor();
        await value.press("Escape");
        await page.getByRole("table", { name: "Events" }).waitFor();

        await page.evaluate(() => void (location.hash = "#/subscriptions/new"));
        await page.locator("textarea[name=filter]").fill(MILLION);
        await page.getByText("This is not JSON").waitFor();
        await page.locator("textarea[name=filter]").fill("");
        await page.evaluate(() => void (location.hash = `#/dead-letters/${"x".repeat(1_000_000)}`));
        await page.getByRole("alert").waitFor();
        await page.evaluate(() => void (location.hash = "#/send"));
        await page.getByRole("button", { name: "JSON", exact: true }).click();
        await page.locator("textarea[name=event]").fill(JSON.stringify({ ...EVENTS[0], data: "x".repeat(1_000_000) }));
        await page.getByRole("button", { name: "Validate" }).click();
        await page
          .getByText(/too large|at most|limit/i)
          .first()
          .waitFor();
        expect(performance.now() - started).toBeLessThanOrEqual(3 * SCREEN_MS);
      },
      { expected: [400, 404, 413, 414, 422, 431] },
    );
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
