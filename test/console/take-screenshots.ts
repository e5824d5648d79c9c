import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { type Console, startConsole } from "./support/console.ts";
import { toPalettePng } from "./support/palette-png.ts";
import { fill, screensOf } from "./support/sample.ts";
import { shown } from "./support/shown.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/console");
const SIZES = { desktop: { width: 1_200, height: 720 }, phone: { width: 360, height: 640 } };
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
          const png = await page.screenshot({ animations: "disabled" });
          await writeFile(join(FOLDER, `${name}-${size}.png`), toPalettePng(png));
        }
      },
      { viewport, colorScheme: size === "desktop" ? "light" : "dark" },
    );
  }

  const sizes = await Promise.all((await readdir(FOLDER)).map(async (name) => (await stat(join(FOLDER, name))).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(ALL_BYTES);
});
