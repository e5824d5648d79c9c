import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findChromium } from "../../console/support/find-chromium.ts";

const among =
  (...paths: string[]) =>
  (path: string) =>
    paths.includes(path);

describe("the browser of the page's tests", () => {
  it("is the one that CHROMIUM names, and no other where that is missing", () => {
    const exists = among("/opt/browser", "/usr/bin/chromium");

    expect(findChromium({ CHROMIUM: "/opt/browser" }, exists)).toBe("/opt/browser");
    expect(findChromium({ CHROMIUM: "/nowhere" }, exists)).toBeUndefined();
    expect(findChromium({ CHROMIUM: "" }, exists)).toBe("/usr/bin/chromium");
  });

  it("is found on the path, and where distributions install it", () => {
    expect(findChromium({ PATH: "/a:/home/me/bin" }, among("/home/me/bin/google-chrome"))).toBe(
      "/home/me/bin/google-chrome",
    );
    expect(findChromium({ PATH: "/a" }, among("/snap/bin/chromium"))).toBe("/snap/bin/chromium");
    expect(findChromium({ PATH: "/a" }, among())).toBeUndefined();
  });

  it("as a command, says by its exit code that there is none", () => {
    const run = () =>
      execFileSync(process.execPath, ["test/console/support/find-chromium.ts"], {
        env: { ...process.env, CHROMIUM: "/nowhere" },
      });

    expect(run).toThrow(expect.objectContaining({ status: 1 }));
  });

  it("CI says where there is none, and that the tests did not run", () => {
    const script = readFileSync(".ci/run", "utf8");
    const from = script.indexOf("# The operator's page in a browser");
    const part = script.slice(from, script.indexOf("\n# ", from));
    const stubs = "suite() { echo the tests ran; }\napt-get() { :; }\n";
    const run = (chromium: string) =>
      execFileSync("bash", ["-c", stubs + part], { encoding: "utf8", env: { ...process.env, CHROMIUM: chromium } });

    expect(run("/nowhere")).toBe("There is no Chromium: the browser tests of the operator's page did not run.\n");
    expect(run(process.execPath)).toBe("the tests ran\n");
  });
});
