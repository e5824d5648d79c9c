import { readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = [
  "bench",
  "bin",
  "catalog",
  "cli",
  "console",
  "docs",
  "functions",
  "lib",
  "localstack",
  "scripts",
  "test",
];

/** Every file and folder of the repository. */
export const paths: ReadonlySet<string> = new Set([
  ...readdirSync("."),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  ),
]);

/**
 * Tells whether a file or folder of the repository has this path. `*` stands for any part of a name, and a placeholder such as
 * `<function>` for the same name at each of its occurrences.
 */
export function pathExists(path: string): boolean {
  if (!/[*<]/.test(path)) return paths.has(path);
  const names = new Set<string>();
  const pattern = path.replaceAll(/\*|<(\w+)>|[.+()]/g, (part, name: string | undefined) => {
    if (part === "*") return "[^/]*";
    if (name === undefined) return `\\${part}`;
    if (names.has(name)) return `\\k<${name}>`;
    names.add(name);
    return `(?<${name}>[\\w-]+)`;
  });
  const whole = new RegExp(`^${pattern}$`);
  return [...paths].some((each) => whole.test(each));
}

/** Finds the paths that a document names in its prose and tables, without code blocks, links and generated parts. */
export function pathsIn(markdown: string): string[] {
  const prose = markdown
    .replaceAll(/<!-- (\w+): generated -->[^]*?<!-- \1: end -->/g, "")
    .replaceAll(/^```[^]*?^```$/gm, "");
  const path = new RegExp(`(?<![\\w./-])(?:${FOLDERS.join("|")})/[\\w./*<>-]+`, "g");
  return [...prose.matchAll(path)].map(([found]) => found.replace(/[./]+$/, ""));
}
