import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readStack } from "../../../localstack/template/read-stack.ts";
import { synthesize } from "../../../localstack/template/synthesize.ts";
import { eventually } from "../../support/eventually.ts";

const FIXTURE = join(import.meta.dirname, "../../fixtures/cdk-app");

/**
 * Stands in for a CDK app where CDK itself does not matter: writes an assembly with one asset, named after the text in
 * `lib/asset.txt`, and its context and environment into the template.
 */
const APP = `
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
const out = process.env.CDK_OUTDIR;
const text = readFileSync("lib/asset.txt", "utf8");
if (text.startsWith("broken")) throw new Error("no such construct: " + text);
mkdirSync(out + "/asset." + text);
writeFileSync(out + "/asset." + text + "/index.js", text);
const json = (name, value) => writeFileSync(out + "/" + name, JSON.stringify(value));
json("manifest.json", { artifacts: {
  Stack: { type: "aws:cloudformation:stack", properties: { templateFile: "Stack.template.json" } },
  "Stack.assets": { type: "cdk:asset-manifest", properties: { file: "Stack.assets.json" } },
} });
json("Stack.assets.json", { files: { [text]: { source: { path: "asset." + text, packaging: "zip" } } } });
json("Stack.template.json", { Resources: {}, Metadata: {
  context: JSON.parse(process.env.CDK_CONTEXT_JSON), run: process.hrtime.bigint().toString(),
  aws: Object.keys(process.env).filter((name) => name.startsWith("AWS_")),
} });
`;

type Metadata = { context: Record<string, unknown>; run: string; aws: string[] };

let folder: string;
let projectDir: string;
let outDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
  projectDir = join(folder, "project");
  outDir = join(folder, "data", "cdk.out");
  for (const name of ["bin", "lib"]) await mkdir(join(projectDir, name), { recursive: true });
  await writeFile(join(projectDir, "cdk.json"), JSON.stringify({ app: "node bin/app.mjs", context: { stage: "dev" } }));
  await writeFile(join(projectDir, "bin/app.mjs"), APP);
  await setAsset("one");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const setAsset = (text: string) => writeFile(join(projectDir, "lib/asset.txt"), text);

async function run(context: Record<string, string> = {}) {
  const assembly = await synthesize({ projectDir, outDir, context });
  const { Metadata: metadata } = assembly.template as unknown as { Metadata: Metadata };
  return { ...assembly, ...metadata };
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("a synthesis", () => {
  it("a synthesis gives the app the context of cdk.json, the CDK CLI and the caller; later ones win", async () => {
    const { context } = await run({ stage: "test" });

    expect(context).toMatchObject({
      stage: "test",
      "aws:cdk:enable-asset-metadata": true,
      "aws:cdk:bundling-stacks": ["**"],
    });
  });

  it("a synthesis hides the user's AWS settings from the app", async () => {
    vi.stubEnv("AWS_PROFILE", "production");

    expect((await run()).aws).toEqual([]);
  });

  it("a synthesis that fails shows the app's own message and leaves the last assembly", async () => {
    const before = await run();
    await setAsset("broken");

    await expect(run()).rejects.toThrow("no such construct: broken");

    await setAsset("one");
    expect((await run()).run).toBe(before.run);
  });

  it("a synthesis maps an asset to its folder, and refuses one that was not bundled", async () => {
    const { assetPath } = await run();

    expect(assetPath("one")).toBe(join(outDir, "asset.one"));
    expect(() => assetPath("two")).toThrow("The asset two is not a bundled folder");
  });

  it("a synthesis keeps the folders of the assembly before it, for functions that still run from them", async () => {
    await run();
    await setAsset("two");
    await run();
    const afterTwo = await exists(join(outDir, "asset.one"));
    await setAsset("three");
    await run();

    expect(afterTwo).toBe(true);
    expect(await exists(join(outDir, "asset.one"))).toBe(false);
    expect(await readFile(join(outDir, "asset.two", "index.js"), "utf8")).toBe("two");
    expect(await exists(`${outDir}.next`)).toBe(false);
  });
});

describe("a synthesis while functions run", () => {
  it("a synthesis while functions run keeps their folders, however many assemblies are not applied", async () => {
    const inUse = (await run()).assetPaths;
    for (const text of ["two", "three", "four"]) {
      await setAsset(text);
      await synthesize({ projectDir, outDir, inUse });
    }
    const whileInUse = await exists(join(outDir, "asset.one", "index.js"));
    await setAsset("one");
    const again = await synthesize({ projectDir, outDir, inUse });

    expect(whileInUse).toBe(true);
    expect(await readFile(join(again.assetPath("one"), "index.js"), "utf8")).toBe("one");
    expect(await exists(join(outDir, "asset.two"))).toBe(false);
  });

  it("a synthesis while functions run ends at once when it is aborted", async () => {
    const app = 'import { writeFileSync } from "node:fs"; writeFileSync("runs", ""); setInterval(() => {}, 1000);';
    await writeFile(join(projectDir, "bin/app.mjs"), app);
    const stop = new AbortController();
    const outcome = synthesize({ projectDir, outDir, signal: stop.signal }).then(String, String);

    await eventually(() => exists(join(projectDir, "runs")), Boolean);
    stop.abort();

    expect(await outcome).toContain("ended with SIGTERM");
  });
});

describe("a kept assembly", () => {
  it("a kept assembly is used while nothing that a synthesis reads has changed", async () => {
    const first = await run();

    expect((await run()).run).toBe(first.run);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a file of the app", () => writeFile(join(projectDir, "lib/new.ts"), "")],
    [
      "a function",
      async () => {
        await mkdir(join(projectDir, "functions/ingest"), { recursive: true });
        await writeFile(join(projectDir, "functions/ingest/handler.ts"), "");
      },
    ],
    ["the settings of one's own", () => writeFile(join(projectDir, "sluice.config.json"), "{}")],
    ["the lock file", () => writeFile(join(projectDir, "package-lock.json"), "{}")],
    ["an asset that was deleted", () => rm(join(outDir, "asset.one"), { recursive: true })],
    ["a manifest that was deleted", () => rm(join(outDir, "manifest.json"))],
  ])("a kept assembly is replaced after a change of %s", async (_, change) => {
    const first = await run();
    await change();

    expect((await run()).run).not.toBe(first.run);
  });

  it("a kept assembly is replaced for another context", async () => {
    const first = await run();

    expect((await run({ stage: "test" })).run).not.toBe(first.run);
  });
});

describe("a real CDK app", () => {
  it("a real CDK app is read whole: functions, queues, routes, mappings, schedules, ordered triggers", async () => {
    const assembly = await synthesize({ projectDir: FIXTURE, outDir });
    const { functions, queues, api, ...model } = readStack(assembly, { sqsEndpoint: "http://127.0.0.1:9324" });
    const arnOf = (id: string) => functions.find(({ logicalId }) => logicalId.startsWith(id))?.arn;

    expect(functions.map(({ logicalId }) => logicalId.slice(0, -8))).toEqual([
      "Consume",
      "Ingest",
      "Query",
      "Seed",
      "Migrate",
    ]);
    expect(await readFile(join(functions[0]?.assetPath ?? "", "index.cjs"), "utf8")).toContain("hello");
    expect(functions[0]?.environment["QUEUE_URL"]).toBe("http://127.0.0.1:9324/000000000000/from-cdk-json");
    expect(functions[0]?.environment["CLUSTER_ARN"]).toBe(model.database.clusterArn);
    expect(queues[1]).toMatchObject({ name: "from-cdk-json", redrive: { deadLetterArn: queues[0]?.arn } });
    expect(api).toMatchObject({ stageName: "v1", binaryMediaTypes: ["*/*"] });
    expect(api.routes).toEqual([
      { method: "POST", path: "/events", functionArn: arnOf("Ingest") },
      { method: "GET", path: "/events/{id}", functionArn: arnOf("Query") },
    ]);
    expect(model.eventSources).toMatchObject([{ queueArn: queues[1]?.arn, functionArn: arnOf("Consume") }]);
    expect(model.schedules).toMatchObject([{ expression: "rate(1 day)", input: '{"task":"retain"}' }]);
    expect(model.triggers).toEqual([
      { name: "First", functionArn: arnOf("Migrate"), timeoutSeconds: 300 },
      { name: "Second", functionArn: arnOf("Seed"), timeoutSeconds: 120 },
    ]);
  }, 60_000);

  it("a real CDK app with a preflight route is refused, because that is no proxy", async () => {
    const assembly = await synthesize({ projectDir: FIXTURE, outDir, context: { cors: "yes" } });

    expect(() => readStack(assembly, { sqsEndpoint: "http://127.0.0.1:9324" })).toThrow(
      "only AWS_PROXY runs locally, not MOCK",
    );
  }, 60_000);
});
