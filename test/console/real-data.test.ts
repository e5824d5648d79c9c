import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { runScript } from "../support/run-script.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { accessibilityFaults, sidewaysScroll } from "./support/accessibility.ts";
import { PHONE } from "./support/browser.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { refuseText } from "./support/refuse-text.ts";
import { shown } from "./support/shown.ts";

/** A folder of `*.ndjson`, an event a line, as `npm run send` takes them. Nobody needs it: without it these tests are skipped. */
const FOLDER = process.env["CONSOLE_DATA"];
/** A folder for pictures of the screens. */
const PICTURES = process.env["CONSOLE_PICTURES"];

type Sent = { id: string; type: string; source: string; data: unknown };

/** Each screen with real data, beside the machine's other work. */
const SCREEN_MS = 10_000;
const LOAD = ["--rate", "100", "--for", "20s"];

describe.skipIf(CHROMIUM === undefined || FOLDER === undefined)("the page with data from elsewhere", () => {
  let console: Console;
  let receiver: WebhookReceiver;
  let events: Sent[];
  let poison: Sent;
  let subscription: string;
  let accept: () => Promise<void>;
  const stored = async () => Number((await console.runtime.query("select count(*) from events"))[0]?.["count"]);

  beforeAll(async () => {
    [console, receiver] = await Promise.all([startConsole(), startWebhookReceiver()]);
    const folder = FOLDER ?? "";
    const files = (await readdir(folder)).filter((name) => name.endsWith(".ndjson"));
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
    events = texts.flatMap((text) => text.split("\n").filter(Boolean)).map((line) => JSON.parse(line) as Sent);
    const [first] = events;
    if (first === undefined) throw new Error(`${folder} has no event in *.ndjson.`);
    poison = first;
    receiver.answer(() => 500);
    ({ id: subscription } = await console.call<{ id: string }>("POST", "/subscriptions", {
      name: "real",
      filter: { exact: { type: events[1]?.type ?? first.type } },
      sink: { type: "webhook", url: receiver.url },
    }));
    accept = await refuseText(console.runtime, "poisoned-by-a-test");
    const bad = { ...poison, data: { ...(poison.data as object), poisoned: "poisoned-by-a-test" } };
    await console.call("POST", "/events", [bad, ...events.slice(1)]);
    await eventually(stored, (count) => count === events.length - 1);
    const { url, apiKey } = console.runtime.addresses;
    const load = await runScript("load", [...LOAD, "--url", url], { SLUICE_API_KEY: apiKey });
    if (load.code !== 0) throw new Error(load.stderr);
    await eventually(
      () => console.runtime.query("select id from dead_letters where state = 'open'"),
      (rows) => rows.length > 0,
    );
  }, 240_000);
  afterAll(async () => {
    await receiver?.stop();
    await console?.close();
  });

  const picture = async (page: Page, name: string) => {
    if (PICTURES === undefined) return;
    await mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled" });
  };

  it("each screen shows it within its time, without a fault of accessibility, on a desktop and on a phone", async () => {
    const largest = events.toSorted((a, b) => JSON.stringify(b).length - JSON.stringify(a).length)[0] ?? poison;
    const [deadLetter] = await console.runtime.query("select id from dead_letters where state = 'open' limit 1");
    const screens = {
      overview: "#/overview",
      events: "#/events",
      event: `#/events/${encodeURIComponent(largest.id)}/${encodeURIComponent(largest.source)}`,
      filtered: `#/events?type=${encodeURIComponent(largest.type)}&column=%2Fdata%2Faction`,
      types: "#/types",
      type: `#/types/${encodeURIComponent(largest.type)}`,
      live: "#/live",
      send: "#/send",
      refusals: "#/refusals",
      "dead-letters": "#/dead-letters",
      "dead-letter": `#/dead-letters/${String(deadLetter?.["id"])}?edit=1`,
      jobs: "#/jobs/replays",
      subscription: `#/subscriptions/${subscription}`,
      settings: `#/subscriptions/${subscription}/settings`,
      keys: "#/keys",
      audit: "#/audit",
    };
    const times: string[] = [];
    await console.visit("#/jobs", async (page) => {
      for (const [name, hash] of Object.entries(screens)) {
        const started = performance.now();
        await shown(page, hash);
        const took = performance.now() - started;
        times.push(`${name} ${Math.round(took)} ms`);
        expect(took, name).toBeLessThanOrEqual(SCREEN_MS);
        await picture(page, `${name}-desktop`);
        expect([name, ...(await accessibilityFaults(page))]).toEqual([name]);
        const size = page.viewportSize() ?? PHONE;
        await page.setViewportSize(PHONE);
        expect([name, await sidewaysScroll(page)]).toEqual([name, 0]);
        await picture(page, `${name}-phone`);
        await page.setViewportSize(size);
      }
    });
    globalThis.console.info(`${events.length} events and the load: ${times.join(", ")}.`);
  }, 300_000);

  it("an event with every digit and text is shown as it was sent", async () => {
    for (const event of [events[1] ?? poison, events.at(-1) ?? poison])
      await console.visit(
        `#/events/${encodeURIComponent(event.id)}/${encodeURIComponent(event.source)}`,
        async (page) => {
          const drawer = page.getByRole("dialog");
          await drawer.getByRole("button", { name: "Raw", exact: true }).click();
          const raw = await drawer.locator("pre").first().innerText();
          expect((JSON.parse(raw) as Sent).data).toEqual(event.data);
        },
      );
  });

  it("a poison event among it is found, corrected, replayed and seen as stored", async () => {
    await console.visit("#/dead-letters?view=list", async (page) => {
      await page.getByRole("link", { name: poison.id }).click();
      await page.getByRole("button", { name: "Correct and replay…" }).click();
      const text = page.locator("textarea[name=event]");
      await text.fill((await text.inputValue()).replace("poisoned-by-a-test", "corrected"));
      await page.getByText("(1 line changed)").waitFor();
      await page.getByRole("button", { name: "Validate" }).click();
      await page.getByText("It is valid, and the dead letter is still open.").waitFor();
      await page.getByRole("button", { name: "Replay the corrected event" }).click();
      await page.getByRole("region", { name: "History" }).getByText("stored", { exact: true }).waitFor();
      await picture(page, "replayed-desktop");
    });
    await accept();

    const [row] = await console.runtime.query(
      `select data ->> 'poisoned' as value from events where id = '${poison.id.replaceAll("'", "''")}'`,
    );
    expect(row?.["value"]).toBe("corrected");
  });

  it("the overview's ledger has each of them", async () => {
    const own = await stored();
    await console.visit("#/overview", async (page) => {
      await eventually(
        async () => {
          await page
            .getByRole("button", { name: "Refresh" })
            .click({ timeout: 500 })
            .catch(() => undefined);
          await page.keyboard.press("Shift");
          const term = page.locator(".ledger .term", { hasText: "Stored" }).locator("b");
          return Number((await term.textContent())?.replaceAll(",", ""));
        },
        (count) => count === own,
        90_000,
      );
      await picture(page, "ledger-desktop");
    });
  });
});
