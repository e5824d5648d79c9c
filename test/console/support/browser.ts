import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { CHROMIUM } from "./find-chromium.ts";
import { isRoute } from "./routes.ts";

/** Starts the browser. As root it has no sandbox, which it would refuse to start with. */
export function startBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

/** Also enough on a machine that is busy with other things. */
const PATIENCE_MS = 60_000;
const DESKTOP = { width: 1_280, height: 900 };
/** The narrowest width that the page promises, without sideways scroll. */
export const PHONE = { width: 320, height: 700 };

/** A page of its own cookies, and what went wrong on it. */
export type WatchedPage = {
  page: Page;
  /**
   * Violations of the policy, requests to another origin or to a route that is not in docs/openapi.json, dialogs of scripts, and
   * errors of scripts and of the console, so far.
   */
  faults: () => string[];
  close: () => Promise<void>;
};

/**
 * Opens an empty page in a context of its own. The browser logs each answer of 400 and above as an error: tests that expect one
 * name its status.
 */
export async function openPage(
  browser: Browser,
  {
    origin,
    expected = [],
    isOfApi = true,
    ...options
  }: { origin: string; expected?: readonly number[]; isOfApi?: boolean } & BrowserContextOptions,
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  await page.exposeFunction("reportViolation", (text: string) => void faults.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
      const { reportViolation } = globalThis as unknown as { reportViolation: (text: string) => void };
      reportViolation(`${violatedDirective} ${blockedURI} ${sample}`);
    });
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol === "data:") return;
    if (url.origin !== origin) faults.push(`foreign request: ${request.url()}`);
    else if (isOfApi && !isRoute(request.method(), url.pathname))
      faults.push(`no route of the API: ${request.method()} ${url.pathname}`);
  });
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const status = Number(/the server responded with a status of (\d{3})/.exec(message.text())?.[1]);
    if (!expected.includes(status)) faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  return { page, faults: () => [...faults], close: () => context.close() };
}
