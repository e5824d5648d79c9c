import { chromium } from "playwright-core";
import { CHROMIUM } from "../../console/support/find-chromium.ts";
import type { FaultStack } from "./fault-stack.ts";

/** The operator's page, signed in as the installation. */
export type ShownLedger = {
  /** The counts that the overview shows of a tenant, by their names. */
  read: (tenant: string) => Promise<Record<string, number>>;
  close: () => Promise<void>;
};

/** Opens the page of a stack in a browser; undefined, with a line that says so, where there is none. */
export async function openShownLedger({ addresses }: Pick<FaultStack, "addresses">): Promise<ShownLedger | undefined> {
  if (CHROMIUM === undefined) {
    process.stderr.write("There is no Chromium here, so the ledger is compared without the operator's page.\n");
    return undefined;
  }
  const { url, installationKey } = addresses;
  const headers = { authorization: `Bearer ${installationKey}` };
  const made = await fetch(`${url}/console/codes`, { method: "POST", headers });
  const { code } = (await made.json()) as { code: string };
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  const page = await browser.newPage();
  await page.goto(`${url}/console#/sign-in?code=${code}`);
  await page.locator("main:not(.sign-in)").waitFor();

  return {
    async read(tenant) {
      // Loaded again, the page shows what the API answers now.
      await page.goto(`${url}/console#/overview?tenant=${tenant}`);
      await page.reload();
      const terms = page.locator(".ledger .term");
      await terms.last().waitFor();
      const texts = await terms.allInnerTexts();
      return Object.fromEntries(
        texts.map((text) => {
          const [, digits = "", name = ""] = /([\d,]+)\s+([A-Z][\w ]+)$/.exec(text.trim()) ?? [];
          return [name, Number(digits.replaceAll(",", ""))];
        }),
      );
    },
    close: () => browser.close(),
  };
}
