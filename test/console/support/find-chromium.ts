import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** The browser of the tests: the one that `CHROMIUM` names, or where distributions install it. Undefined where there is none. */
export const CHROMIUM: string | undefined = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => path !== undefined && existsSync(path));

// As a command it says by its exit code whether there is one, for .ci/run.
if (process.argv[1] === resolve(import.meta.filename)) process.exitCode = CHROMIUM === undefined ? 1 : 0;
