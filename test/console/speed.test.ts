import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { longestTask } from "./support/longest-task.ts";
import { order } from "./support/orders.ts";

const ROWS = 1_100;
const NODES_MAX = 3_000;
const LONG_TASK_MS = 50;
const OPENED_MS = 300;
/** The best of them counts: other work of the machine may slow a single one. */
const ATTEMPTS = 5;

describe.skipIf(CHROMIUM === undefined)("the page with much to show", () => {
  let console: Console;
  beforeAll(async () => {
    console = await startConsole();
    const events = [
      ...Array.from({ length: ROWS }, (_, at) => order(`row-${at}`, { source: "/rows" })),
      ...[48, 256].map((kib) => order(`large-${kib}`, { source: "/large", data: lines(kib * 1_024 - 700) })),
    ];
    for (let at = 0; at < events.length; at += 500) await console.call("POST", "/events", events.slice(at, at + 500));
    await eventually(
      async () => Number((await console.runtime.query("select count(*) from events"))[0]?.["count"]),
      (count) => count === events.length,
    );
  });
  afterAll(() => console?.close());

  /** Scrolls the table from its top to its end, a part of its height a frame. @returns the most nodes of the document meanwhile */
  const scroll = (page: Page) =>
    page.evaluate(async () => {
      const table = document.querySelector<HTMLElement>("main .table");
      if (table === null) throw new Error("There is no table.");
      let nodes = 0;
      for (table.scrollTop = 0; ; table.scrollTop += 200) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        nodes = Math.max(nodes, document.querySelectorAll("*").length);
        if (table.scrollTop + table.clientHeight >= table.scrollHeight - 1) return nodes;
      }
    });

  it("a thousand rows scroll without a task of more than 50 ms, and few of them are in the document", async () => {
    await console.visit("#/events?source=%2Frows", async (page) => {
      for (const loaded of ["100 events so far", "600 events so far"]) {
        await page.getByText(loaded).waitFor();
        await page.getByRole("button", { name: "Show more" }).click();
      }
      await page.getByText(`${ROWS.toLocaleString("en")} events, all of this list`).waitFor();
      let nodes = 0;
      const tasks: { clock: number; thread: number }[] = [];
      const best = () => Math.min(...tasks.map(({ thread }) => thread));
      while (tasks.length < ATTEMPTS && best() > LONG_TASK_MS)
        tasks.push(
          await longestTask(console.browser, page, async () => {
            nodes = Math.max(nodes, await scroll(page));
          }),
        );

      const [first] = tasks;
      globalThis.console.info(
        `The longest task is ${first?.thread.toFixed(1)} ms (${first?.clock.toFixed(1)} ms by the clock), of ${nodes} nodes.`,
      );
      expect(best()).toBeLessThanOrEqual(LONG_TASK_MS);
      expect(nodes).toBeGreaterThan(100);
      expect(nodes).toBeLessThanOrEqual(NODES_MAX);
    });
  });

  it.each([48, 256])("an event of %i KB opens within 300 ms of its answer's arrival", async (kib) => {
    await console.visit("#/events?source=%2Flarge", async (page) => {
      const link = page.locator(`a[href*="large-${kib}"]`);
      await link.waitFor();
      const times: number[] = [];
      while (times.length < ATTEMPTS && Math.min(...times) > OPENED_MS) {
        times.push(
          await link.evaluate(async (element: HTMLElement) => {
            const started = performance.now();
            element.click();
            while (document.querySelector("dialog .json .leaf") === null)
              await new Promise((resolve) => requestAnimationFrame(resolve));
            // Drawn, not only in the document.
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
            const [entry] = performance
              .getEntriesByType("resource")
              .filter(({ name }) => name.includes("/events/large-"))
              .slice(-1) as PerformanceResourceTiming[];
            return performance.now() - Math.max(started, entry?.responseEnd ?? started);
          }),
        );
        await page.keyboard.press("Escape");
        await page.locator("dialog").waitFor({ state: "detached" });
      }
      globalThis.console.info(`${kib} KB: ${times.map(Math.round).join(", ")} ms.`);
      expect(Math.min(...times)).toBeLessThanOrEqual(OPENED_MS);
    });
  });
});

/** Members of about so many bytes as JSON. */
function lines(bytes: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: Math.floor(bytes / 120) }, (_, at) => [
      `member-${String(at).padStart(5, "0")}`,
      "x".repeat(101),
    ]),
  );
}
