import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ensureLocalKeys } from "../../../localstack/local-keys.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

const INSTALLATION_KEY = "sluice_of-the-installation";

let folder: TemporaryFolder;
let server: Server;
/** The statuses with which the stack answers, one after the other. */
let statuses: number[];
let asked: unknown[];
beforeEach(async () => {
  folder = await temporaryFolder();
  asked = [];
  server = createServer((request, response) => {
    asked.push([request.method, request.url, request.headers.authorization]);
    request.resume();
    const status = statuses.shift() ?? 500;
    response.writeHead(status, { "retry-after": "0" }).end(JSON.stringify({ key: "sluice_of-the-admin" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.close();
  await folder.remove();
});

const ensure = () =>
  ensureLocalKeys({
    dataDir: folder.path,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    invokeAccess: async () => JSON.stringify({ key: INSTALLATION_KEY }),
  });

it("the local keys are made by a stack that cannot check a key at first, and kept in the data folder", async () => {
  statuses = [503, 503, 201];

  const keys = await ensure();

  expect(keys).toEqual({ apiKey: "sluice_of-the-admin", installationKey: INSTALLATION_KEY });
  expect(asked).toEqual(Array.from({ length: 3 }, () => ["POST", "/keys", `Bearer ${INSTALLATION_KEY}`]));
  expect(await readFile(join(folder.path, "api-key"), "utf8")).toBe("sluice_of-the-admin\n");
});

it.each([
  [Array.from({ length: 5 }, () => 503), 503],
  [[403], 403],
])("the local keys of a stack that answers %j end with its last answer", async (answers, last) => {
  statuses = [...answers];

  await expect(ensure()).rejects.toThrow(`The stack made no key: ${last}`);
  expect(asked).toHaveLength(answers.length);
});
