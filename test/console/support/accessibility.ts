import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";

/** WCAG 2.2 up to level AA, with the criteria of the versions before. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The faults that axe finds on a page as it is now, in the light and in the dark theme: theme, rule, element and reason. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const faults: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    for (const { id, nodes } of violations)
      for (const { target, failureSummary } of nodes)
        faults.push(`${colorScheme}: ${id}: ${target.join(" ")}: ${failureSummary ?? ""}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  return faults;
}

/** The pixels by which a page is wider than its window. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
