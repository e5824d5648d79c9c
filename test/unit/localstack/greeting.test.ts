import { describe, expect, it } from "vitest";
import { greeting } from "../../../localstack/greeting.ts";
import type { Addresses } from "../../../localstack/addresses.ts";

const ADDRESSES = { url: "http://127.0.0.1:4800", apiKey: "sluice_key" } as Addresses;
const greet = (folder: { dataDir: string; isDefault: boolean }, allowHttpSinks = true) =>
  greeting({ addresses: ADDRESSES, listensOn: ["127.0.0.1"] }, { ...folder, allowHttpSinks });

/** Every command of this repository that a greeting names. */
const commands = (text: string) => Array.from(text.matchAll(/npm (?:run|start)[^`\n]*/g), ([command]) => command);

describe("the greeting of npm start", () => {
  it("the greeting names no folder where it is the one in which the commands look", () => {
    expect(commands(greet({ dataDir: ".sluice", isDefault: true }))).toEqual([
      "npm run console",
      "npm run send -- FILE.ndjson",
      "npm run dead-letters -- list",
      "npm run keys -- list",
      "npm start -- --fresh",
    ]);
  });

  it("the greeting says whether subscriptions may deliver to this machine, and how", () => {
    const folder = { dataDir: ".sluice", isDefault: true };

    expect(greet(folder, true)).toContain("Subscriptions may deliver to http://127.0.0.1:PORT");
    expect(greet(folder, false)).toContain("`npm start -- --allow-http-sinks`");
  });

  it.each([
    ["/tmp/a", "/tmp/a"],
    ["/tmp/it's mine", "'/tmp/it'\\''s mine'"],
  ])("the greeting names another folder with every command, as a shell takes it: %s", (dataDir, word) => {
    expect(commands(greet({ dataDir, isDefault: false }))).toEqual([
      `npm run console --data-dir ${word}`,
      `npm run send -- FILE.ndjson --data-dir ${word}`,
      `npm run dead-letters -- list --data-dir ${word}`,
      `npm run keys -- list --data-dir ${word}`,
      `npm start -- --fresh --data-dir ${word}`,
    ]);
  });
});
