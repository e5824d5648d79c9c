import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildSync, type Metafile } from "esbuild";

/**
 * Builds the operator's page into a folder: `page.html`, and its script and style sheet, compressed by gzip, under names that
 * change with their content. It runs in this process, so that a user needs no build step.
 */
export function bundlePage(outputDir: string): void {
  const { files, imports } = buildPage();
  mkdirSync(outputDir, { recursive: true });
  writeFileSync(join(outputDir, "page.html"), pageHtml([...files.keys()], imports));
  for (const [name, bytes] of files) writeFileSync(join(outputDir, `${name}.gz`), compress(bytes));
}

/**
 * The scripts and the style sheet of the page by their names, for example `app-4QZ7TK2A.js`; and the names of those that the first
 * script imports before it runs.
 */
export function buildPage(): { files: Map<string, Uint8Array>; imports: string[] } {
  const { outputFiles, metafile } = buildSync({
    bundle: true,
    platform: "browser",
    format: "esm",
    // Browsers of 2025 and later: the colours of the style sheet need `light-dark()`, and filters need `JSON.rawJSON`.
    target: ["chrome123", "firefox135", "safari18.4"],
    inject: ["console/buffer.ts"],
    // The settings of the type check are not those of the bundle.
    tsconfigRaw: {},
    jsx: "automatic",
    jsxImportSource: "preact",
    entryPoints: { app: "console/main.tsx", style: "console/style.css" },
    entryNames: "[name]-[hash]",
    // Screens that are not part of the first load have a script of their own.
    splitting: true,
    chunkNames: "chunk-[hash]",
    outdir: "page",
    write: false,
    metafile: true,
    minify: true,
    logLevel: "warning",
  });
  const first = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === "console/main.tsx");
  return {
    files: new Map(outputFiles.map(({ path, contents }) => [basename(path), contents])),
    imports: staticImports(metafile, first?.[0] ?? "").map((path) => basename(path)),
  };
}

function staticImports({ outputs }: Pick<Metafile, "outputs">, path: string): string[] {
  const own = outputs[path]?.imports.filter(({ kind }) => kind === "import-statement") ?? [];
  return [...new Set(own.flatMap((each) => [each.path, ...staticImports({ outputs }, each.path)]))];
}

/** The best of gzip: it is done once, and sent often. */
export const compress = (bytes: Uint8Array): Buffer => gzipSync(bytes, { level: 9 });

/**
 * The template with the names of the files in the places of `{app.js}` and `{style.css}`. The browser loads the imports of the first
 * script beside it, and not after it.
 */
function pageHtml(files: readonly string[], imports: readonly string[]): string {
  const links = imports.map((file) => `<link rel="modulepreload" href="console/${file}">`).join("\n    ");
  const template = readFileSync("console/page.html", "utf8").replace("{imports}", links);
  return template.replaceAll(/\{(\w+)\.(\w+)\}/g, (place, name, extension) => {
    const file = files.find((each) => each.startsWith(`${name}-`) && each.endsWith(`.${extension}`));
    if (file === undefined) throw new Error(`console/page.html names ${place}, and the page has ${files.join(", ")}.`);
    return file;
  });
}
