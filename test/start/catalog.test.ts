import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyProject } from "../support/project-copy.ts";
import { startCommandIn } from "../support/runtime.ts";

let copy: string;
beforeAll(async () => {
  copy = await copyProject();
});
afterAll(() => rm(copy, { recursive: true, force: true }));

const write = (file: string, text: string) => writeFile(join(copy, "catalog", file), text);
const remove = (file: string) => rm(join(copy, "catalog", file));

const FAULT = "catalog/broken.ts does not load: z.strin is not a function (catalog/broken.ts:3)";
const BROKEN = 'import * as z from "zod";\nexport const type = "broken";\nexport const data = z.strin();\n';

/** Runs the CDK's command line as `npm run` does. */
function cdk(...words: string[]) {
  const environment = {
    ...process.env,
    AWS_ACCESS_KEY_ID: "x",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_REGION: "eu-central-1",
  };
  const program = join(copy, "node_modules/.bin/cdk");
  return spawnSync(program, words, { cwd: copy, env: environment, encoding: "utf8" });
}

describe("a catalog with a fault", () => {
  beforeAll(() => write("broken.ts", BROKEN));
  afterAll(() => remove("broken.ts"));

  it.each([
    ["npm run synth", ["synth", "--quiet"]],
    ["npm run deploy", ["deploy", "--outputs-file", "outputs.json"]],
  ])("a catalog with a fault ends %s with its message, before anything is built", (_command, words) => {
    const { status, stdout, stderr } = cdk(...words);

    expect(status).toBe(1);
    expect(stderr).toContain(FAULT);
    expect(stdout + stderr).not.toMatch(/^ {4}at /m);
    expect(readdirSync(copy)).not.toContain("outputs.json");
  });

  it("a catalog with a fault stops npm start with its message and no stack trace", async () => {
    const dataDir = join(copy, "data");
    await mkdir(dataDir);

    const ended = await startCommandIn(copy, dataDir).then(
      async ({ child, exitCode }) => {
        child.kill("SIGINT");
        await exitCode;
        return "it started";
      },
      (error: Error) => error.message,
    );

    expect(ended).toContain(FAULT);
    expect(ended).not.toMatch(/^ {4}at /m);
  });
});

describe("a catalog with helpers and other files", () => {
  it("a catalog with helpers and other files is synthesized", async () => {
    await mkdir(join(copy, "catalog/parts"));
    await write("parts/money.ts", 'import * as z from "zod";\nexport const amount = z.int();\n');
    await write(
      "price.ts",
      'import * as z from "zod";\nimport { amount } from "./parts/money.ts";\nexport const type = "price";\nexport const data = z.object({ amount });\n',
    );
    await write("price.test.ts", "throw new Error('a test was loaded');\n");
    await write("._price.ts", "\u0000\u0005\u0016\u0007");
    await symlink("user@host.1:2", join(copy, "catalog/.#price.ts"));

    const { status, stderr } = cdk("synth", "--quiet");

    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  });
});
