import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Front, startFront } from "../../bench/pipeline/front.ts";
import { eventually } from "../support/eventually.ts";
import { accessibilityFaults } from "./support/accessibility.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { order, ORDER_PLACED } from "./support/orders.ts";
import { shown } from "./support/shown.ts";

/** From a click on Send to the word stored. */
const STORED_MS = 3_000;

describe.skipIf(CHROMIUM === undefined)("events on the page", () => {
  let console: Console;
  let front: Front | undefined;
  let databaseCalls = 0;
  beforeAll(async () => {
    console = await startConsole({
      dataApiFront: async (endpoint) => {
        front = await startFront(endpoint, { onExchange: () => (databaseCalls += 1) });
        return front.url;
      },
    });
  });
  afterAll(async () => {
    await console?.close();
    await front?.stop();
  });

  /** Sends events, and waits until they are stored. */
  async function store(events: readonly ReturnType<typeof order>[]): Promise<void> {
    for (let at = 0; at < events.length; at += 500) await console.call("POST", "/events", events.slice(at, at + 500));
    const list = events.map(({ id }) => `'${id}'`).join(",");
    await eventually(
      async () =>
        Number((await console.runtime.query(`select count(*) from events where id in (${list})`))[0]?.["count"]),
      (count) => count === events.length,
    );
  }

  const rows = (page: Page, label: string) => page.getByRole("table", { name: label }).locator("tbody tr[data-row]");

  /** Lets a page believe that its tab is hidden, or seen again. */
  const show = (page: Page, state: "hidden" | "visible") =>
    page.evaluate((wanted) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => wanted });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);

  it("an open tab asks nothing while it is hidden or idle, and the overview never asks the database", async () => {
    const requests: string[] = [];
    await console.visit("#/jobs", async (page) => {
      // Timers that were set before are real ones, so the screen comes after.
      await page.clock.install();
      await page.keyboard.press("Shift");
      await page.evaluate(() => void (location.hash = "#/overview"));
      await page.getByRole("region", { name: "Ledger" }).waitFor();
      await page.waitForLoadState("networkidle");
      const before = databaseCalls;
      page.on("request", (request) => requests.push(request.url()));
      const polls = () => requests.filter((url) => url.endsWith("/status")).length;
      for (let minute = 1; minute <= 3; minute++) {
        await page.clock.runFor("01:00");
        await eventually(polls, (count) => count >= minute);
      }

      await show(page, "hidden");
      await page.waitForLoadState("networkidle");
      requests.length = 0;
      await page.clock.runFor("05:00");
      await page.waitForLoadState("networkidle");
      expect(requests).toEqual([]);

      await show(page, "visible");
      await eventually(polls, (count) => count > 0);
      await page.clock.runFor("11:00");
      await page.getByText("Nothing is refreshed: the page was not used for ten minutes.").waitFor();
      await page.waitForLoadState("networkidle");
      requests.length = 0;
      await page.clock.runFor("30:00");
      await page.waitForLoadState("networkidle");
      expect(requests).toEqual([]);
      expect(databaseCalls - before).toBe(0);
    });
  });

  it("Live counts each stored event as shown or skipped, stops in a hidden tab, and goes on where it stopped", async () => {
    await console.visit("#/live", async (page) => {
      const counter = async (name: string) =>
        Number(
          (await page.locator(".counters span", { hasText: name }).locator("b").textContent())?.replaceAll(",", ""),
        );
      const stored = (wanted: number) =>
        eventually(
          () => counter("stored"),
          (count) => count === wanted,
        );
      await page.getByText("Waiting for the next event").waitFor();
      await page.waitForRequest((request) => request.url().includes("/feed?") && request.url().includes("wait="));
      await store(Array.from({ length: 200 }, (_, at) => order(`live-${at}`)));
      await stored(200);
      expect((await counter("shown")) + (await counter("skipped"))).toBe(200);
      expect(await counter("skipped")).toBeGreaterThan(0);

      await show(page, "hidden");
      await page.getByText("Stopped, because the tab was hidden").waitFor();
      const requests: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      await store([order("live-hidden")]);
      const before = databaseCalls;
      await show(page, "visible");
      expect(requests).toEqual([]);
      await page.getByRole("button", { name: "Resume" }).click();
      await stored(201);
      expect(databaseCalls).toBeGreaterThan(before);
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByText("Paused.").waitFor();
    });
  });

  it("a filter stands as a chip and in the address, a range is drawn by keys, and one event has its neighbours", async () => {
    await store(
      Array.from({ length: 150 }, (_, at) => order(`list-${at}`, { source: "/list", data: { orderId: `O-${at}` } })),
    );
    await console.visit("#/events", async (page) => {
      await page.getByRole("button", { name: "+ Filter" }).click();
      await page.getByLabel("Field", { exact: true }).fill("source");
      await page.getByLabel("Value", { exact: true }).fill("/list");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByRole("button", { name: /^Remove source/ }).waitFor();
      expect(page.url()).toContain("source=%2Flist");
      await page.getByText("100 events so far").waitFor();

      const chart = page.getByRole("img", { name: /^Events received/ });
      await chart.focus();
      await page.keyboard.press("End");
      await page.keyboard.press("Shift+ArrowLeft");
      await page.keyboard.press("Shift+ArrowLeft");
      await page.keyboard.press("Enter");
      await eventually(
        () => page.url(),
        (url) => /[?&]from=.*to=/.test(url),
      );

      await rows(page, "Events").first().getByRole("link").click();
      const drawer = page.getByRole("dialog");
      await drawer.getByText("EUR").waitFor();
      await drawer.getByRole("button", { name: "Raw" }).click();
      await drawer.locator("pre", { hasText: '"currency"' }).waitFor();
      await drawer.getByRole("button", { name: "Neighbours" }).click();
      await drawer.locator("[aria-current=true]").getByText("this event").waitFor();
      expect(await drawer.locator(".neighbours li").count()).toBeGreaterThan(1);
      await drawer.getByRole("button", { name: "Validate" }).click();
      await drawer.getByText("The event is valid in this version.").waitFor();

      await drawer.getByRole("button", { name: "Tree" }).click();
      await drawer.getByRole("button", { name: "Filter by this value of data.orderId" }).click();
      await page.getByText("1 event, all of this list").waitFor();
      await page.goBack();
      await page.goBack();
      await page.goForward();
      await page.getByLabel("The last request as a command").getByText("curl").first().waitFor();
    });
  });

  it("a count of events that retention has dropped in part says so, and any other does not", async () => {
    await store([order("count-1", { subject: "counted" })]);
    const dropped = new Date(Date.now() - 2 * 3_600_000).toISOString();
    await console.runtime.query(
      `insert into event_removals (tenant, events_before) values ('default', '${dropped}')
       on conflict (tenant) do update set events_before = excluded.events_before`,
    );
    await console.visit("#/events?subject=counted&range=24h", async (page) => {
      const note = page.getByText("Retention has dropped events that were received before");
      await page.getByText("1 in this range").waitFor();
      await note.waitFor();

      await shown(page, "#/events?subject=counted&range=1h");
      await page.getByText("1 in this range").waitFor();
      expect(await note.count()).toBe(0);
    });
    await console.runtime.query("delete from event_removals");
  });

  it("a page whose time was over says how many events it looked at, and goes on at its cursor", async () => {
    await console.visit("#/types", async (page) => {
      // Of a real page: the time of five seconds is over only among very many events.
      await page.route("**/events?*limit=100*", async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace('"complete":true', '"complete":false');
        expect(body).toContain('"complete":false');
        await route.fulfill({ response, body });
      });
      await page.evaluate(() => void (location.hash = "#/events?source=%2Flist"));
      await page
        .getByText(/This page is not complete: its five seconds were over. 100 events so far; \d+ looked at/)
        .waitFor();
      await page.getByRole("button", { name: "Go on looking" }).click();
      await page.getByText("150 events, all of this list").waitFor();
    });
  });

  it("a type has its share, its fields beside the schema's, and those that the schema does not declare", async () => {
    await store([order("drift", { data: { surprise: 1 } })]);
    await console.visit("#/types", async (page) => {
      await page.getByRole("link", { name: ORDER_PLACED }).click();
      const drawer = page.getByRole("dialog");
      await drawer.getByText("currency").first().waitFor();
      await drawer.getByText("surprise").first().waitFor();
      await drawer.getByText("not declared").first().waitFor();
    });
  });

  it("a refused event is seen with its code and its place", async () => {
    await console.call("POST", "/events", [order("refused", { data: { currency: "euro" } })]).then(
      () => undefined,
      () => undefined,
    );
    await console.visit("#/refusals", async (page) => {
      await eventually(async () => {
        await page.getByRole("button", { name: "Refresh" }).click();
        await page.getByText("/data/currency").first().waitFor({ timeout: 2_000 });
        return true;
      });
    });
  });

  it("a bad field shows its pointer beside the field, and a good event is stored within three seconds", async () => {
    await console.visit(
      "#/send",
      async (page) => {
        await page.getByLabel("Type of the catalog").selectOption(ORDER_PLACED);
        const currency = page.locator('input[name="/data/currency"]');
        await currency.fill("euro");
        await page.getByRole("button", { name: "Validate" }).click();
        await page.locator('input[name="/data/currency"][aria-invalid=true]').waitFor();
        const described = (await currency.getAttribute("aria-describedby"))?.split(" ").at(-1) ?? "";
        expect(await page.locator(`[id="${described}"]`).textContent()).toContain("/data/currency");
        await page.getByRole("alert").getByRole("button", { name: "/data/currency" }).click();
        expect(await currency.evaluate((input) => input === document.activeElement)).toBe(true);

        const times: number[] = [];
        await currency.fill("EUR");
        // The best of three: other work of the machine may slow a single one.
        while (times.length < 3 && Math.min(...times) > STORED_MS) {
          await page.getByRole("button", { name: "New id" }).click();
          const started = performance.now();
          await page.getByRole("button", { name: "Send", exact: true }).click();
          await page.getByRole("region", { name: "What became of" }).getByText("stored", { exact: true }).waitFor();
          times.push(performance.now() - started);
        }
        expect(Math.min(...times)).toBeLessThanOrEqual(STORED_MS);
        await page.getByRole("link", { name: "open the event" }).click();
        await page.getByRole("dialog").getByText("EUR").waitFor();
      },
      { expected: [400, 404, 422] },
    );
  });

  it("a restore is among the jobs, with a receipt that adds up", async () => {
    const id = `rst_${"0".repeat(32)}`;
    await console.runtime.query(
      `insert into restores (id, tenant, state, target, request, key_id, manifests, planned, read, matched, restored, present, conflicts, finished_at)
       values ('${id}', 'default', 'done', 'beside', '{"from":"2026-11-01"}', 'keyOfRestore', '[["events/a", "b"]]', 12, 12, 10, 7, 2, 1, clock_timestamp())`,
    );
    await console.visit("#/jobs/restores", async (page) => {
      await page.getByRole("table", { name: "Restores" }).getByText("12 of 12").waitFor();
      await page.getByRole("table", { name: "Restores" }).getByRole("link").first().click();
      const receipt = page.locator("dl.receipt");
      await receipt.locator("div", { hasText: "restored" }).getByText("7", { exact: true }).waitFor();
      await receipt.locator("div", { hasText: "with other content" }).getByText("1", { exact: true }).waitFor();
      await page.getByText(`GET /restores/${id}/events`).waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
    });
  });

  it("JSON that is no event stays JSON, and says so", async () => {
    await console.visit("#/send", async (page) => {
      await page.getByRole("button", { name: "JSON", exact: true }).click();
      const text = page.locator("textarea[name=event]");
      for (const wrong of ["[1]", '"text"', "5", "null"]) {
        await text.fill(wrong);
        await page.getByText("An event is a JSON object").waitFor();
        await page.getByRole("button", { name: "Form", exact: true }).click();
        expect(await text.inputValue()).toBe(wrong);
      }
      await text.fill('{"type": "a.b", "source": "/s", "id": "1", "data": {}}');
      await page.getByRole("button", { name: "Form", exact: true }).click();
      await text.waitFor({ state: "detached" });
    });
  });

  it("an export is counted, written, and its receipt names its files", async () => {
    await console.visit("#/jobs/exports", async (page) => {
      await page.getByRole("button", { name: "New export…" }).click();
      await page.getByLabel(/^Filter, as JSON/).fill('{"exact": {"source": "/list"}}');
      await page.getByRole("button", { name: "Count" }).click();
      await page.getByText("150 events. Nothing has started yet.").waitFor();
      await page.getByRole("button", { name: "Export", exact: true }).click();
      await page.locator("dl.receipt").waitFor();
      await page
        .getByRole("region", { name: "Files" })
        .getByText(/150 events/)
        .waitFor();
    });
  });
});
