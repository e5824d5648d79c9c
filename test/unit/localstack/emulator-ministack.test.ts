import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ministack } from "../../../localstack/emulator/ministack.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

describe("the command of MiniStack", () => {
  it("the command of MiniStack leads Python to the repairs, and listens on this machine only", async () => {
    const { environment } = await ministack("ministack", 4566, join(folder.path, "ministack"));

    expect(await readdir(environment["PYTHONPATH"] ?? "")).toEqual(["sitecustomize.py"]);
    expect(environment).toMatchObject({ BIND_HOST: "127.0.0.1", GATEWAY_PORT: "4566" });
  });

  it("the functions that MiniStack unpacks are CommonJS, whatever a folder above says", async () => {
    const own = join(folder.path, "own");
    await ministack("ministack", 4566, own);

    expect(JSON.parse(await readFile(join(own, "package.json"), "utf8"))).toEqual({ type: "commonjs" });
  });
});
