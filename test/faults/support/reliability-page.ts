import { readFileSync, writeFileSync } from "node:fs";

const PAGE = "docs/reliability.md";

/** Replaces one generated block of docs/reliability.md: what stands between its two marks. @throws Error without marks */
export function writeBlock(name: "cases" | "soak" | "sabotage" | "archive", markdown: string): void {
  const page = readFileSync(PAGE, "utf8");
  const [begin, end] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no block ${name}.`);
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}\n${markdown.trim()}\n${page.slice(to)}`);
}

/** Milliseconds as seconds: `1.2 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`;
}
