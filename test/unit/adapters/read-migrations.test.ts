import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readMigrations } from "../../../functions/adapters/files/read-migrations.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

describe("the migrations of a folder", () => {
  it("are its .sql files by name, without the hidden files of macOS and editors", async () => {
    const files = {
      "0002_b.sql": "b",
      "0001_a.sql": "a",
      "._0001_a.sql": "\u0000",
      ".#0002_b.sql": "x",
      "README.md": "",
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);

    expect(readMigrations(folder.path)).toEqual([
      { name: "0001_a.sql", sql: "a" },
      { name: "0002_b.sql", sql: "b" },
    ]);
  });

  it("are an error where there is none", () => {
    expect(() => readMigrations(folder.path)).toThrow("No migrations in");
  });
});
