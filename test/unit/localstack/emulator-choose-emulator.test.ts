import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseEmulator, type Way } from "../../../localstack/emulator/choose-emulator.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-path-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

let folders = 0;
/** A PATH with these programs and no others; each is a line of shell. */
function pathWith(programs: Record<string, string>): string {
  const path = join(folder, String(folders++));
  mkdirSync(path);
  for (const [name, line] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
  return path;
}

describe("the emulator", () => {
  it("the emulator is the one that runs at AWS_ENDPOINT_URL, whatever else is there", () => {
    const environment = {
      AWS_ENDPOINT_URL: "http://localhost:4566/",
      LOCALSTACK_AUTH_TOKEN: "t",
      PATH: pathWith({ ministack: "" }),
    };

    expect(chooseEmulator(environment)).toEqual({ by: "user", endpoint: "http://localhost:4566" });
  });

  it("the emulator is LocalStack if its token is set, and else MiniStack if that is on the path", () => {
    const PATH = pathWith({ docker: "exit 0", ministack: "" });

    expect(chooseEmulator({ PATH, LOCALSTACK_AUTH_TOKEN: "t" })).toEqual({ by: "docker" });
    expect(chooseEmulator({ PATH })).toEqual({ by: "serve", program: join(PATH, "ministack") });
  });

  it("the emulator is the given one", () => {
    const environment = { AWS_ENDPOINT_URL: "http://127.0.0.1:4566", PATH: pathWith({ ministack: "" }) };

    expect(chooseEmulator(environment, "ministack")).toMatchObject({ by: "serve" });
  });
});

describe("what an emulator lacks", () => {
  it.each<[string, Way | undefined, NodeJS.ProcessEnv, Record<string, string>, RegExp]>([
    ["any emulator", undefined, {}, {}, /pip install ministack==[\s\S]*LOCALSTACK_AUTH_TOKEN[\s\S]*AWS_ENDPOINT_URL/],
    [
      "ministack",
      "ministack",
      {},
      {},
      /ministack is not on the PATH. Install it: python3 -m venv .*pip install ministack==\d/,
    ],
    ["its address", "running", {}, {}, /export AWS_ENDPOINT_URL=http/],
    ["an address", "running", { AWS_ENDPOINT_URL: "here" }, {}, /export AWS_ENDPOINT_URL=http/],
    ["a token", "localstack", {}, { docker: "exit 0" }, /export LOCALSTACK_AUTH_TOKEN/],
    ["docker", "localstack", { LOCALSTACK_AUTH_TOKEN: "t" }, {}, /docker is not on the PATH. Install it: https/],
    [
      "Docker's engine",
      "localstack",
      { LOCALSTACK_AUTH_TOKEN: "t" },
      { docker: "exit 1" },
      /engine does not answer. Start it: sudo systemctl start docker/,
    ],
    [
      "Docker's compose",
      "localstack",
      { LOCALSTACK_AUTH_TOKEN: "t" },
      { docker: 'test "$1" != compose' },
      /Install its plugin: https/,
    ],
  ])(
    "an environment without %s is refused with the command that installs it",
    (_what, way, environment, programs, why) => {
      expect(() => chooseEmulator({ ...environment, PATH: pathWith(programs) }, way)).toThrow(why);
    },
  );
});
