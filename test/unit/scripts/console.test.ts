import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeKey } from "../../../functions/core/key.ts";
import { callScript } from "../../support/call-script.ts";
import { startFakeApi } from "../../support/fake-api.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

const CODE = { code: "sluice_code_1", expiresAt: "2026-11-29T10:05:00.000Z" };

let api: Awaited<ReturnType<typeof startFakeApi>>;
let folder: TemporaryFolder;
beforeEach(async () => {
  api = await startFakeApi();
  folder = await temporaryFolder();
});
afterEach(async () => {
  await api.stop();
  await folder.remove();
});

const run = (words: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  callScript("console", [...words], { SLUICE_API_KEY: "", ...environment });

describe("npm run console", () => {
  it("console writes the link alone to stdout, with the code behind #, and its end to stderr", async () => {
    api.answer(() => ({ status: 201, body: CODE }));

    const { code, stdout, stderr } = await run(api.flags, { SLUICE_API_KEY: "K" });

    expect({ code, stdout }).toEqual({ code: 0, stdout: `${api.url}/console#/sign-in?code=sluice_code_1\n` });
    expect(stderr).toContain(CODE.expiresAt);
    expect(api.requests).toMatchObject([
      { method: "POST", path: "/console/codes", body: "", headers: { authorization: "Bearer K" } },
    ]);
  });

  it("console gives the same as one JSON document", async () => {
    api.answer(() => ({ status: 201, body: CODE }));

    const { stdout } = await run([...api.flags, "--json"], { SLUICE_API_KEY: "K" });

    expect(JSON.parse(stdout)).toEqual({
      link: `${api.url}/console#/sign-in?code=sluice_code_1`,
      expiresAt: CODE.expiresAt,
    });
  });

  it("console says what the API says of a key that may not sign in", async () => {
    const detail = "This needs the scope console. The key has the role producer.";
    api.answer(() => ({ status: 403, body: { code: "forbidden", detail } }));

    expect(await run(api.flags, { SLUICE_API_KEY: "K" })).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(detail),
    });
  });

  it("console makes itself a key of the installation for a deployed stack, which lives as long as the session", async () => {
    const { id, text: key } = makeKey((count) => new Uint8Array(count));
    const made = {
      id,
      key,
      tenant: "*",
      role: "admin",
      createdBy: "deployer",
      createdAt: CODE.expiresAt,
      state: "active",
    };
    api.answer(({ path }) => (path.endsWith("/invocations") ? { body: made } : { status: 201, body: CODE }));
    const outputs = join(folder.path, "outputs.json");
    const stack = {
      ApiUrl: `${api.url}/dev/`,
      QueueUrl: api.url,
      DeadLetterQueueUrl: api.url,
      AccessFunctionName: "access",
    };
    await writeFile(outputs, JSON.stringify({ "Sluice-dev": stack }));

    const { code, stdout, stderr } = await run(["--outputs", outputs], {
      AWS_ENDPOINT_URL_LAMBDA: api.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "eu-central-1",
    });

    expect({ code, stdout }, stderr).toEqual({
      code: 0,
      stdout: `${api.url}/dev/console#/sign-in?code=sluice_code_1\n`,
    });
    const [invocation, asked] = api.requests;
    expect(JSON.parse(String(invocation?.body))).toEqual({
      createInstallationKey: { name: "npm run console", expires: "8h" },
    });
    expect(asked).toMatchObject({ path: "/dev/console/codes", headers: { authorization: `Bearer ${key}` } });
  });
});
