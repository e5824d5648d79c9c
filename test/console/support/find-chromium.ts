import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** Folders of distributions, which need not be on the path. */
const PLACES = ["/usr/bin", "/snap/bin"];
const ON_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/**
 * The browser of the tests: the one that `CHROMIUM` names and no other, or else the one on the path or where distributions install it.
 * Undefined where there is none.
 */
export function findChromium(
  { CHROMIUM: named, PATH = "" }: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  if (named !== undefined && named !== "") return exists(named) ? named : undefined;
  const folders = [...PATH.split(delimiter).filter((folder) => folder !== ""), ...PLACES];
  return [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ON_MACOS].find(exists);
}

export const CHROMIUM = findChromium(process.env);

// As a command it says by its exit code whether there is one, for .ci/run.
if (process.argv[1] === resolve(import.meta.filename)) process.exitCode = CHROMIUM === undefined ? 1 : 0;
