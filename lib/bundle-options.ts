import type { BuildOptions } from "esbuild";

/** One CommonJS file for Lambda's Node, minified, with a map beside it. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  mainFields: ["module", "main"],
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
} satisfies BuildOptions;
