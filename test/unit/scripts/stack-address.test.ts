import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findStackAddress, stackFlags } from "../../../scripts/stack-address.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-address-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const DATA_DIR = ".sluice";
const outputsOf = (name: string) => ({
  ApiUrl: `https://${name}.execute-api.eu-central-1.amazonaws.com/dev/`,
  QueueUrl: `https://sqs.eu-central-1.amazonaws.com/111122223333/${name}`,
  DeadLetterQueueUrl: `https://sqs.eu-central-1.amazonaws.com/111122223333/${name}-dead`,
});
const ours = outputsOf("ours");
const another = { BucketName: "pictures" };

/** The address that an outputs file with this content leads to. */
async function find(content: unknown, stack?: string) {
  const outputs = join(folder, "outputs.json");
  await writeFile(outputs, typeof content === "string" ? content : JSON.stringify(content));
  return findStackAddress({ dataDir: DATA_DIR, outputs, ...(stack !== undefined && { stack }) });
}

describe("the address of a deployed stack", () => {
  it.each([
    ["the only one", { "Sluice-dev": ours }, undefined],
    ["the only one of Sluice", { Pictures: another, "Sluice-dev": ours }, undefined],
    ["the named one", { Pictures: another, "Sluice-dev": ours, "Sluice-prod": outputsOf("prod") }, "Sluice-dev"],
  ])("is read from an outputs file as %s", async (_name, content, stack) => {
    expect(await find(content, stack)).toMatchObject({
      url: "https://ours.execute-api.eu-central-1.amazonaws.com/dev",
      queueUrl: ours.QueueUrl,
      sqs: { region: "eu-central-1" },
    });
  });

  it.each([
    ["", undefined, "is empty. Write it again with `npm run deploy`"],
    ["{", undefined, "is not JSON. Write it again"],
    ["[]", undefined, "is no outputs file of `cdk deploy`"],
    [{}, undefined, "has no stack of Sluice"],
    [{ Pictures: another }, undefined, "has no stack of Sluice"],
    [{ Pictures: another, "Sluice-dev": ours }, "Pictures", "is called Pictures. Name one with --stack: Sluice-dev."],
    [{ a: ours, b: outputsOf("b") }, undefined, "several stacks of Sluice. Name one with --stack: a, b."],
  ])("is not found in %j, for a reason in one line", async (content, stack, why) => {
    const error = await find(content, stack).catch((each: unknown) => each as Error);

    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(why);
    expect((error as Error).message).toContain(join(folder, "outputs.json"));
    expect((error as Error).message).not.toContain("\n");
  });

  it("is not guessed from options that contradict each other", () => {
    const outputs = join(folder, "outputs.json");
    expect(() => findStackAddress({ dataDir: "/elsewhere", outputs })).toThrow("name two stacks");
    expect(() => findStackAddress({ dataDir: DATA_DIR, stack: "Sluice-dev" })).toThrow("--outputs");
  });
});

describe("the address of the local runtime", () => {
  const runtime = {
    url: "http://127.0.0.1:4800",
    queueUrl: "http://127.0.0.1:4801/q",
    deadLetterQueueUrl: "http://127.0.0.1:4801/d",
    awsEndpointUrl: "http://127.0.0.1:4801",
    region: "eu-central-1",
  };

  it("has a client that the settings for AWS in the shell do not lead elsewhere", async () => {
    await writeFile(join(folder, "runtime.json"), JSON.stringify(runtime));

    expect(findStackAddress({ dataDir: folder })).toMatchObject({
      url: runtime.url,
      sqs: { endpoint: runtime.awsEndpointUrl, useFipsEndpoint: false, useDualstackEndpoint: false },
    });
  });

  it.each([
    ["", "is empty. Start the runtime again"],
    ['{"url":', "is not JSON. Start the runtime again"],
    ["{}", "is not what `npm start` writes. Start the runtime again"],
  ])("is not found in a runtime.json of %j", async (content, why) => {
    await writeFile(join(folder, "runtime.json"), content);

    expect(() => findStackAddress({ dataDir: folder })).toThrow(`${join(folder, "runtime.json")} ${why}`);
  });
});

describe("the options that name a stack", () => {
  it("can be typed again", () => {
    expect(stackFlags({ dataDir: DATA_DIR, outputs: "/my files/o.json", stack: "Sluice-dev" })).toBe(
      " --outputs '/my files/o.json' --stack Sluice-dev",
    );
    expect(stackFlags({ dataDir: DATA_DIR })).toBe("");
  });
});
