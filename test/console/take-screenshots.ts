import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { type Console, startConsole } from "./support/console.ts";
import { fill, screensOf } from "./support/sample.ts";
import { shown } from "./support/shown.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/console");
const SIZES = { desktop: { width: 1_200, height: 720 }, phone: { width: 360, height: 640 } };
/** Percent. */
const QUALITY = 80;
const LEDGER_MS = 300_000;
const ALL_BYTES = 2 * 1_024 * 1_024;

let console: Console;
let receiver: WebhookReceiver;
beforeAll(async () => {
  [console, receiver] = await Promise.all([startConsole(), startWebhookReceiver()]);
});
afterAll(async () => {
  await receiver?.stop();
  await console?.close();
});

it("each screen is photographed on a desktop and on a phone", async () => {
  const sample = await fill(console, receiver);
  // The ledger is taken at the end of a minute.
  await eventually(
    () => console.call<{ ledger: { stored: number; difference: number } }>("GET", "/status"),
    ({ ledger }) => ledger.stored > 0 && ledger.difference === 0,
    LEDGER_MS,
  );
  await mkdir(FOLDER, { recursive: true });
  for (const [size, viewport] of Object.entries(SIZES)) {
    await console.visit(
      "#/jobs",
      async (page) => {
        for (const [name, hash] of Object.entries(screensOf(sample))) {
          await shown(page, hash);
          if (name === "live") {
            await page.getByRole("button", { name: "From the start" }).click();
            await page.locator(".live tbody tr").nth(20).waitFor();
          }
          if (name === "types" && size === "desktop") await page.locator('.sparkline path[d^="M"]').first().waitFor();
          await writeFile(join(FOLDER, `${name}-${size}.webp`), await photograph(page));
        }
      },
      { viewport, colorScheme: size === "desktop" ? "light" : "dark", reducedMotion: "reduce" },
    );
  }

  const sizes = await Promise.all((await readdir(FOLDER)).map(async (name) => (await stat(join(FOLDER, name))).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(ALL_BYTES);
});

/** The page as WebP, which the browser itself writes; text stays sharp, at a third of the bytes of a PNG. */
async function photograph(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
  await session.detach();
  return Buffer.from(data, "base64");
}
