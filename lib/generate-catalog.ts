import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = "functions/catalog";
const OUTPUT = join(FOLDER, "types.generated.ts");
const NOT_A_TYPE = new Set(["catalog.ts", "types.generated.ts"]);

/**
 * The module that lists the event types: one export for each file of functions/catalog, in the order of their names.
 * Bundlers need the list in the source; making it at each bundling lets adding a type be adding one file.
 */
export function catalogModule(): string {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".ts") && !NOT_A_TYPE.has(file));
  const names = files.map((file) => file.replace(/\.ts$/, "")).toSorted();
  const exports = names.map((name) => {
    const words = name.replaceAll(/[^A-Za-z0-9]+(\w)/g, (_all, letter: string) => letter.toUpperCase());
    const identifier = /^\d/.test(words) ? `_${words}` : words;
    return `export * as ${identifier} from "./${name}.ts";\n`;
  });
  return `// Generated from the files of this folder at each bundling; do not edit.\n${exports.join("")}`;
}

/** Writes the module where it is not up to date. */
export function generateCatalog(): void {
  const text = catalogModule();
  if (readFileSync(OUTPUT, { encoding: "utf8", flag: "a+" }) !== text) writeFileSync(OUTPUT, text);
}
