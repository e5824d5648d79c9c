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

/** A Python that says which version it is, and which packages it has: all that LocalStack needs but for these. */
function python(version: [number, number], others: Record<string, string | null> = {}): string {
  const packages = {
    "localstack-core": "4.14.0",
    cbor2: "5.9.0",
    cryptography: "46.0.7",
    "localstack-twisted": "25.5.0",
    "moto-ext": "5.1.22",
    pyopenssl: "25.3.0",
    ...others,
  };
  return `echo '${JSON.stringify({ python: version, packages })}'`;
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

  it("the emulator is LocalStack in Docker if its token is set, LocalStack if Python has it, and else MiniStack", () => {
    const PATH = pathWith({ docker: "exit 0", ministack: "", python3: python([3, 13]) });
    const localstack = { by: "serve", emulator: "localstack", program: join(PATH, "python3") };
    const without = pathWith({ ministack: "", python3: python([3, 13], { "localstack-core": null }) });
    const ministack = { by: "serve", emulator: "ministack", program: join(without, "ministack") };

    expect(chooseEmulator({ PATH, LOCALSTACK_AUTH_TOKEN: "t" })).toEqual({ by: "docker" });
    expect(chooseEmulator({ PATH })).toEqual(localstack);
    expect(chooseEmulator({ PATH: without })).toEqual(ministack);
  });

  it("the emulator is the given one", () => {
    const environment = { AWS_ENDPOINT_URL: "http://127.0.0.1:4566", PATH: pathWith({ ministack: "" }) };

    expect(chooseEmulator(environment, "ministack")).toMatchObject({ by: "serve" });
  });
});

describe("what an emulator lacks", () => {
  it.each<[string, Way | undefined, NodeJS.ProcessEnv, Record<string, string>, RegExp]>([
    [
      "any emulator",
      undefined,
      {},
      {},
      /localstack-requirements.txt[\s\S]*pip install ministack==[\s\S]*LOCALSTACK_AUTH_TOKEN[\s\S]*AWS_ENDPOINT_URL/,
    ],
    ["Python", "localstack", {}, {}, /python3 is not on the PATH. Install Python 3.13 .*pip install -r localstack\//],
    ["a Python that runs", "localstack", {}, { python3: "exit 127" }, /does not run.*pip install -r localstack\//],
    [
      "a Python that is new enough",
      "localstack",
      {},
      { python3: python([3, 12]) },
      /needs Python 3.13 .*, and .*python3 is 3.12. .*python3.13 -m venv .venv && .*pip install -r localstack\//,
    ],
    [
      "LocalStack",
      "localstack",
      {},
      { python3: python([3, 13], { "localstack-core": null }) },
      /is not installed for .*python3. Install it: .*pip install -r localstack\//,
    ],
    [
      "LocalStack's own version",
      undefined,
      {},
      { python3: python([3, 13], { "localstack-core": "4.13.1" }) },
      /localstack-core\[.*==4.14.0 \(it has 4.13.1\).*python3 -m pip install -r localstack\//,
    ],
    [
      "the pins of LocalStack",
      "localstack",
      {},
      {
        python3: python([3, 14], {
          cbor2: "6.0.0",
          cryptography: "47.0.1",
          "localstack-twisted": "26.1.0",
          "moto-ext": "5.1.23",
          pyopenssl: null,
        }),
      },
      /cbor2<6 \(it has 6.0.0\), cryptography<47 .*, localstack-twisted<26 .*, moto-ext==5.1.22 .*, pyopenssl<26 \(it has none\). Install them: .*python3 -m pip install -r localstack\//,
    ],
    [
      "ministack",
      "ministack",
      {},
      {},
      /ministack is not on the PATH. Install it: python3 -m venv .*pip install ministack==\d/,
    ],
    ["its address", "running", {}, {}, /export AWS_ENDPOINT_URL=http/],
    ["an address", "running", { AWS_ENDPOINT_URL: "here" }, {}, /export AWS_ENDPOINT_URL=http/],
    ["a token", "docker", {}, { docker: "exit 0" }, /export LOCALSTACK_AUTH_TOKEN/],
    ["docker", "docker", { LOCALSTACK_AUTH_TOKEN: "t" }, {}, /docker is not on the PATH. Install it: https/],
    [
      "Docker's engine",
      "docker",
      { LOCALSTACK_AUTH_TOKEN: "t" },
      { docker: "exit 1" },
      /engine does not answer. Start it: sudo systemctl start docker/,
    ],
    [
      "Docker's compose",
      "docker",
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
