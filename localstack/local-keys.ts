import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";

/** The keys with which a developer uses a stack on this machine. */
export type LocalKeys = z.infer<typeof localKeys>;
const localKeys = z.object({
  /** An admin of the tenant `default`. */
  apiKey: z.string(),
  /** A key of the installation, for other tenants. */
  installationKey: z.string(),
});

const TENANT = "default";

export type KeySource = {
  dataDir: string;
  /** Of the API. */
  url: string;
  /** Invokes the function `access` with a payload and returns its answer, both as JSON text. */
  invokeAccess: (payload: string) => Promise<string>;
};

/**
 * Makes the keys once for each data folder, and keeps them there: `keys.json`, and the admin's key alone in `api-key`,
 * both for the user alone. Keys that do not work any more are made again.
 */
export async function ensureLocalKeys({ dataDir, url, invokeAccess }: KeySource): Promise<LocalKeys> {
  const known = await readKeys(dataDir);
  if (known !== undefined && (await areAccepted(url, known))) {
    await writeApiKey(dataDir, known);
    return known;
  }
  const name = "npm start";
  const { key: installationKey } = created.parse(
    JSON.parse(await invokeAccess(JSON.stringify({ createInstallationKey: { name } }))),
  );
  const response = await fetchWhenReady(`${url}/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${installationKey}`, "content-type": "application/json" },
    body: JSON.stringify({ tenant: TENANT, role: "admin", name }),
  });
  if (response.status !== 201) throw new Error(`The stack made no key: ${response.status} ${await response.text()}`);
  const { key: apiKey } = created.parse(await response.json());
  const keys = { apiKey, installationKey };
  await writeFile(keysFile(dataDir), `${JSON.stringify(keys)}\n`, { mode: 0o600 });
  await writeApiKey(dataDir, keys);
  return keys;
}

/** Written at each start, because somebody may have deleted it. */
function writeApiKey(dataDir: string, { apiKey }: LocalKeys): Promise<void> {
  return writeFile(join(dataDir, "api-key"), `${apiKey}\n`, { mode: 0o600 });
}

/** A cold function on a busy machine may answer that it cannot check a key now. */
async function fetchWhenReady(url: string, init: RequestInit): Promise<Response> {
  for (let left = TRIES - 1; ; left--) {
    const response = await fetch(url, init);
    if (response.status !== 503 || left === 0) return response;
    await response.body?.cancel();
    await delay(Number(response.headers.get("retry-after") ?? 1) * 1_000);
  }
}

const TRIES = 5;

const created = z.object({ key: z.string() });

const keysFile = (dataDir: string): string => join(dataDir, "keys.json");

async function readKeys(dataDir: string): Promise<LocalKeys | undefined> {
  const text = await readFile(keysFile(dataDir), "utf8").catch(() => "");
  try {
    return localKeys.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Only an answer of 401 says that a key does not work; anything else has another reason. */
async function areAccepted(url: string, { apiKey, installationKey }: LocalKeys): Promise<boolean> {
  const answers = [
    fetch(`${url}/keys?limit=1`, { headers: { authorization: `Bearer ${apiKey}` } }),
    fetch(`${url}/tenants`, { headers: { authorization: `Bearer ${installationKey}` } }),
  ];
  return (await Promise.all(answers)).every(({ status }) => status !== 401);
}
