import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

/** The settings of the npm that runs here. It takes the beginning of a name for the whole name. */
const settings = Object.keys(
  JSON.parse(spawnSync("npm", ["config", "ls", "--long", "--json"], { encoding: "utf8" }).stdout) as object,
);

/** The options that a command's help lists. */
function optionsOf(...words: string[]): string[] {
  const { stdout } = spawnSync(process.execPath, [...words, "--help"], { encoding: "utf8" });
  return [...stdout.matchAll(/^\s+(?:-\w, )?--([a-z-]+)/gm)].map(([, name = ""]) => name);
}

it.each([
  ["send", ["scripts/send.ts"]],
  ["replay", ["scripts/replay.ts"]],
  ["dead-letters list", ["scripts/dead-letters.ts", "list"]],
  ["dead-letters group", ["scripts/dead-letters.ts", "group"]],
  ["dead-letters export", ["scripts/dead-letters.ts", "export"]],
  ["dead-letters discard", ["scripts/dead-letters.ts", "discard"]],
  ["console", ["scripts/console.ts"]],
  ["keys create", ["scripts/keys.ts", "create"]],
  ["keys list", ["scripts/keys.ts", "list"]],
  ["keys show", ["scripts/keys.ts", "show"]],
  ["keys rotate", ["scripts/keys.ts", "rotate"]],
  ["keys revoke", ["scripts/keys.ts", "revoke"]],
  ["tenants list", ["scripts/tenants.ts", "list"]],
  ["tenants set", ["scripts/tenants.ts", "set"]],
  ["audit list", ["scripts/audit.ts", "list"]],
  ["audit verify", ["scripts/audit.ts", "verify"]],
  ["status", ["scripts/status.ts"]],
  ["start", ["localstack/start.ts"]],
])("npm takes no option of %s for the beginning of one of its own, which the command could not see", (_name, words) => {
  const options = optionsOf(...words);
  const taken = options.filter((option) =>
    settings.some((setting) => setting !== option && setting.startsWith(option) && !settings.includes(option)),
  );

  expect(options.length).toBeGreaterThan(2);
  expect(taken).toEqual([]);
});
