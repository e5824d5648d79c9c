import { describe, expect, it } from "vitest";
import { runScript } from "../support/run-script.ts";

describe("a command", () => {
  it.each(["send", "dead-letters", "replay"])("%s --help prints the usage, with exit code 0", async (name) => {
    expect(await runScript(name, ["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Usage: npm run ${name} --`),
    });
  });

  it.each([
    ["send", ["nothing.ndjson", "--url", "http://127.0.0.1:1"], "no such file"],
    ["send", ["--batch", "0", "x"], "--batch takes a whole number above 0"],
    ["send", ["x", "--batch", "1001"], "--batch takes at most 1000"],
    ["dead-letters", ["group", "--by", "moon"], "Allowed choices are type, source, tenant"],
    ["dead-letters", ["list", "--data-dir", "/nowhere"], "Start the runtime with `npm start`"],
    ["replay", ["--limit", "many"], "--limit takes a whole number above 0"],
    ["replay", ["--data-dir", "/nowhere"], "Start the runtime with `npm start`"],
    ["replay", ["--outputs", "/nowhere.json"], "npm run deploy"],
    ["replay", ["--unknown"], "unknown option"],
  ])("%s %j exits with 2 and the reason", async (name, args, why) => {
    expect(await runScript(name, args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(why) });
  });
});
