import { relative } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { swallowedByNpm, userPath } from "../../../cli/npm.ts";

/** The variables that npm sets for the script that this process runs. */
const byNpm = { npm_lifecycle_script: `node ${relative(process.cwd(), process.argv[1] ?? "")}` };
const command = new Command("npm run replay --").option("--dry-run").option("--max-replays <n>");
command.command("list").option("--json");

describe("a path that the user names", () => {
  it("is relative to where the user stands, although npm runs scripts in another folder", () => {
    expect(userPath("events.ndjson", { ...byNpm, INIT_CWD: "/home/me" })).toBe("/home/me/events.ndjson");
    expect(userPath("/tmp/x", { ...byNpm, INIT_CWD: "/home/me" })).toBe("/tmp/x");
  });

  it("is relative to the working directory of a process that another script of npm started", () => {
    expect(userPath("x", { npm_lifecycle_script: "vitest run", INIT_CWD: "/home/me" })).toBe(`${process.cwd()}/x`);
    expect(userPath("x", {})).toBe(`${process.cwd()}/x`);
  });
});

describe("an option before npm's own two dashes", () => {
  it.each([
    ["npm_config_dry_run", "true", "npm run replay -- --dry-run"],
    ["npm_config_max_replays", "5", "npm run replay -- --max-replays"],
    ["npm_config_json", "true", "npm run replay -- list --json"],
  ])("is refused, because npm keeps it: %s", (name, value, advice) => {
    expect(swallowedByNpm(command, { ...byNpm, [name]: value })).toContain(advice);
  });

  it("is not taken from the settings of npm that no option has, or that npm sets for another script", () => {
    expect(swallowedByNpm(command, { ...byNpm, npm_config_cache: "/x", npm_config_dry_run: "" })).toBeUndefined();
    expect(swallowedByNpm(command, { npm_lifecycle_script: "vitest run", npm_config_dry_run: "true" })).toBeUndefined();
  });
});
