import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { newKeyPair, signWebhook, type SignedWebhook } from "../support/sign-webhook.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const secret = `whsec_${randomBytes(32).toString("base64")}`;
const another = `whsec_${randomBytes(32).toString("base64")}`;
const { privateKey, publicKey } = newKeyPair();
const { privateKey: anotherKey } = newKeyPair();

let folder: TemporaryFolder;
const running: ChildProcess[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  for (const child of running) {
    if (child.exitCode !== null) continue;
    const exited = once(child, "exit");
    child.kill();
    await exited;
  }
  await folder.remove();
});

/** Whether the language of a receiver is on this machine. */
function runs(program: string, ...words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const goReceiver = () => join(folder.path, "receiver");
/** Of each receiver: whether it can run here, its command line, and the keys with which a webhook is signed for it. */
const receivers = [
  { file: "receiver.mjs", isHere: true, words: () => [process.execPath, "docs/webhooks/receiver.mjs"] },
  { file: "receiver-ed25519.mjs", isHere: true, words: () => [process.execPath, "docs/webhooks/receiver-ed25519.mjs"] },
  {
    file: "receiver.py",
    isHere: runs("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))"),
    words: () => ["python3", "docs/webhooks/receiver.py"],
  },
  {
    file: "receiver.go",
    isHere: runs("go", "version"),
    words: () => {
      execFileSync("go", ["build", "-o", goReceiver(), "docs/webhooks/receiver.go"]);
      return [goReceiver()];
    },
  },
];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a receiver. `handled` has its lines so far: the id and the body of each webhook that it has handled. */
async function start([program = "", ...words]: string[]) {
  const port = await freePort();
  const env = { ...process.env, WEBHOOK_SECRET: secret, WEBHOOK_PUBLIC_KEY: publicKey, PORT: String(port) };
  const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "inherit"] });
  running.push(child);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const send = async ({ body, headers }: SignedWebhook): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body, headers })).status;
  await eventually(() => send({ id: "", body: "", headers: {} }));
  return { send, handled: () => output.split("\n").filter((line) => line !== "") };
}

const newWebhook = (
  keys: Parameters<typeof signWebhook>[0] = [secret, privateKey],
  { at, ...data }: { at?: Date; [name: string]: unknown } = {},
): SignedWebhook =>
  signWebhook(keys, {
    id: `dlv_${randomBytes(16).toString("hex")}`,
    body: JSON.stringify({ specversion: "1.0", id: randomUUID(), source: "/shop", type: "com.example.order", data }),
    ...(at !== undefined && { at }),
  });

describe("the signer of these tests", () => {
  it("the signer of these tests signs as the libraries of Standard Webhooks do", () => {
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/javascript/src/webhook.test.ts
    const { headers } = signWebhook(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      body: '{"test": 2432232314}',
      at: new Date(1_614_265_330_000),
    });

    expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });
});

describe("a receiver of docs/webhooks", () => {
  it.for(receivers)(
    "the receiver $file takes genuine webhooks once each, and refuses those that are tampered with, old or of another key",
    async ({ isHere, words }, { skip }) => {
      skip(!isHere, "its language is not on this machine");
      const { send, handled } = await start(words());
      const good = newWebhook();
      const rotating = newWebhook([another, anotherKey, secret, privateKey], { name: "Zoë 🎈" });
      const MINUTE = 60_000;
      const refused = {
        tampered: { ...good, body: good.body.replace("/shop", "/shoq") },
        renamed: { ...good, headers: { ...good.headers, "webhook-id": newWebhook().id } },
        later: {
          ...good,
          headers: { ...good.headers, "webhook-timestamp": String(Number(good.headers["webhook-timestamp"]) + 1) },
        },
        old: newWebhook(undefined, { at: new Date(Date.now() - 6 * MINUTE) }),
        early: newWebhook(undefined, { at: new Date(Date.now() + 6 * MINUTE) }),
        ofAnotherKey: newWebhook([another, anotherKey]),
        unsigned: { ...good, headers: { ...good.headers, "webhook-signature": "" } },
        cut: { ...good, headers: { ...good.headers, "webhook-signature": "v1, v1a, v1" } },
        bare: { ...good, headers: {} },
      };

      expect([await send(good), await send(rotating)]).toEqual([204, 204]);
      expect(await send(good), "replayed").toBe(204);
      expect(await send(newWebhook(undefined, { at: new Date(Date.now() - 4 * MINUTE) }))).toBe(204);
      for (const [what, webhook] of Object.entries(refused)) expect(await send(webhook), what).toBe(401);
      await send(rotating);

      const [first, second, third, ...others] = await eventually(handled, ({ length }) => length >= 3);
      expect([first, second]).toEqual([good, rotating].map(({ id, body }) => `${id} ${body}`));
      expect(third).toMatch(/^dlv_/);
      expect(others).toEqual([]);
    },
  );
});
