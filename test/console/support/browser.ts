import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** The browser of the tests: the variable `CHROMIUM`, or where distributions install it. Undefined where there is none. */
export const CHROMIUM: string | undefined = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));

/** Starts the browser. As root it has no sandbox, which it would refuse to start with. */
export function startBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: CHROMIUM, args });
}
