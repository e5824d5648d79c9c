import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type FunctionOptions, type LocalFunction, startFunction } from "../../localstack/lambda/start-function.ts";
import type { InvokeResult } from "../../localstack/lambda/invoke.ts";
import { RESPONSE_LIMIT_BYTES } from "../../localstack/lambda/limits.ts";
import type { FunctionModel } from "../../localstack/template/model.ts";
import { eventually } from "../support/eventually.ts";

const ARN = "arn:aws:lambda:eu-central-1:000000000000:function:probe";
const ENDPOINTS = { AWS_ENDPOINT_URL_SQS: "http://127.0.0.1:9324" };

/** Source of a handler that waits for a file, so that a test decides when an invocation ends. */
const GATED = `const fs = require("node:fs");
exports.handler = async ({ arrived, gate, answer }) => {
  fs.writeFileSync(arrived, String(process.pid));
  while (!fs.existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 5));
  return answer ?? "through the gate";
};`;

let root: string;
let count = 0;
let lines: string[] = [];
const started: LocalFunction[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-lambda-"));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((local) => local.stop()));
  lines = [];
});
afterAll(() => rm(root, { recursive: true }));

describe("a function's process", () => {
  it("a function's process gives the handler the event and Lambda's context", async () => {
    const local = await probe(`exports.handler = async (event, context) => ({
      event, ...context, remaining: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID });`);

    const result = parsed(await local.invoke('{"hello":"wörld"}'));

    expect(result).toEqual({
      event: { hello: "wörld" },
      functionName: "probe",
      functionVersion: "$LATEST",
      invokedFunctionArn: ARN,
      memoryLimitInMB: "256",
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      logGroupName: "/aws/lambda/probe",
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
      xRayTraceId: expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}/),
      remaining: expect.toSatisfy((milliseconds: number) => milliseconds > 50_000 && milliseconds <= 60_000),
      trace: expect.stringMatching(/^Root=1-/),
    });
  });

  it("a function's process returns null for a handler that returns nothing", async () => {
    const local = await probe("exports.handler = async () => {};");

    expect(await local.invoke("{}")).toEqual({ kind: "success", payload: "null" });
  });

  it("a function's process loads an ES module", async () => {
    const local = await probe(
      'import { sep } from "node:path"; export const handler = async () => sep.length;',
      {},
      { file: "index.mjs" },
    );

    expect(await local.invoke("{}")).toEqual({ kind: "success", payload: "1" });
  });

  it("a function's process loads index.js as CommonJS although a package.json above the asset says module", async () => {
    await writeFile(join(root, "package.json"), '{"type":"module"}');
    const local = await probe('const path = require("node:path"); exports.handler = async () => path.sep.length;');

    expect(await local.invoke("{}")).toEqual({ kind: "success", payload: "1" });
  });

  it("a function's process loads index.js as an ES module when the asset's own package.json says so", async () => {
    const local = await probe(
      "export const handler = async () => typeof require;",
      {},
      { package: '{"type":"module"}' },
    );

    expect(await local.invoke("{}")).toEqual({ kind: "success", payload: '"undefined"' });
  });

  it("a function's process sees variables of the template, the endpoints and Lambda, none of the developer", async () => {
    vi.stubEnv("SLUICE_CANARY", "leaked");
    vi.stubEnv("AWS_PROFILE", "leaked");
    const local = await probe("exports.handler = async () => ({ ...process.env });", { environment: { TABLE: "t" } });

    const environment = parsed(await local.invoke("{}")) as Record<string, string>;
    vi.unstubAllEnvs();

    expect(Object.values(environment)).not.toContain("leaked");
    expect(environment).toMatchObject({
      TABLE: "t",
      ...ENDPOINTS,
      TZ: "UTC",
      AWS_REGION: "eu-central-1",
      AWS_LAMBDA_FUNCTION_NAME: "probe",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      _HANDLER: "index.handler",
    });
    expect(Object.keys(environment).filter((name) => !/^(AWS_|LAMBDA_|_|TZ$|LANG$|PATH$|TABLE$)/.test(name))).toEqual(
      [],
    );
  });

  it("a function's process limits the heap to the function's memory", async () => {
    const local = await probe(
      'exports.handler = async () => require("node:v8").getHeapStatistics().heap_size_limit / 1048576;',
      { memoryMegabytes: 512 },
    );

    expect(parsed(await local.invoke("{}"))).toBeLessThanOrEqual(512 * 1.1);
  });

  it("a function's process writes its lines to the log under its name, without embedded metrics", async () => {
    const local = await probe(`exports.handler = async () => {
      console.log("one"); console.error("two");
      console.log(JSON.stringify({ _aws: { Timestamp: 1, CloudWatchMetrics: [] }, accepted: 1 })); };`);

    await local.invoke("{}");
    await local.stop();

    expect(lines.toSorted()).toEqual(["probe one", "probe two"]);
  });
});

describe("a failing function", () => {
  it("a failing function reports what the handler threw", async () => {
    const local = await probe("exports.handler = async () => { throw new RangeError('too far'); };");

    expect(await local.invoke("{}")).toMatchObject({
      kind: "error",
      errorType: "RangeError",
      errorMessage: "too far",
      stack: expect.arrayContaining([expect.stringContaining("index.js:1")]),
    });
    expect(lines.join("\n")).toMatch(/^probe RangeError: too far\n.*index\.js:1/);
  });

  it("a failing function reports an answer that JSON cannot carry", async () => {
    const local = await probe("exports.handler = async () => 1n;");

    expect(await local.invoke("{}")).toMatchObject({ kind: "error", errorType: "Runtime.JSONStringifyError" });
  });

  it("a function may return as much as Lambda allows, and one byte more is an error", async () => {
    const local = await probe("exports.handler = async ({ length }) => 'x'.repeat(length);");

    const largest = await local.invoke(JSON.stringify({ length: RESPONSE_LIMIT_BYTES - 2 }));
    const tooLarge = await local.invoke(JSON.stringify({ length: RESPONSE_LIMIT_BYTES - 1 }));

    expect(largest.kind === "success" && largest.payload.length).toBe(RESPONSE_LIMIT_BYTES);
    expect(tooLarge).toMatchObject({ kind: "error", errorType: "Function.ResponseSizeTooLarge" });
  });

  it("a failing function refuses a callback-style handler at init, as nodejs24.x does", async () => {
    const local = await probe("exports.handler = (event, context, callback) => callback(null, 1);");

    expect(await local.invoke("{}")).toEqual({
      kind: "crash",
      detail: expect.stringContaining("Runtime.CallbackHandlerDeprecated"),
    });
  });

  it("a failing function says why it could not be loaded, and loads again at the next invocation", async () => {
    const repaired = join(root, `repaired-${count}`);
    const local = await probe(`if (!require("node:fs").existsSync(${JSON.stringify(repaired)})) require("nowhere");
      exports.handler = async () => "repaired";`);

    expect(await local.invoke("{}")).toEqual({ kind: "crash", detail: expect.stringContaining("'nowhere'") });
    await writeFile(repaired, "");

    expect(await local.invoke("{}")).toEqual({ kind: "success", payload: '"repaired"' });
  });

  it("a failing function says that the asset folder is missing", async () => {
    const local = start(modelOf({ assetPath: join(root, "nowhere") }));

    expect(await local.invoke("{}")).toMatchObject({ kind: "crash" });
  });

  it.each([
    ["process.exit(3)", "exit code 3"],
    ["process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})", "SIGKILL"],
    [
      "void Promise.reject(new Error('dropped')); await new Promise(() => {})",
      "UnhandledPromiseRejection: Error: dropped",
    ],
    ["setImmediate(() => { throw new TypeError('stray'); }); await new Promise(() => {})", "TypeError: stray"],
  ])("a failing function crashes at %s and serves the next invocation from a new process", async (code, detail) => {
    const local = await probe(`exports.handler = async (event) => { if (event.crash) { ${code} } return "alive"; };`);

    expect(await local.invoke('{"crash":true}')).toEqual({ kind: "crash", detail: expect.stringContaining(detail) });
    expect(await local.invoke("{}")).toEqual({ kind: "success", payload: '"alive"' });
  });

  it("a failing function is killed at its timeout, even in an endless loop, and gets a new process", async () => {
    const local = await probe("exports.handler = async ({ loop }) => { while (loop); return 'alive'; };", {
      timeoutSeconds: 3,
    });

    expect(await local.invoke('{"loop":true}')).toEqual({ kind: "timeout", seconds: 3 });
    expect(await local.invoke("{}")).toEqual({ kind: "success", payload: '"alive"' });
    expect(lines).toEqual(["probe Task timed out after 3.00 seconds"]);
  });
});

describe("concurrency", () => {
  it("a function runs invocations one at a time and in order when there is one process", async () => {
    const local = await probe(
      `let active = 0; exports.handler = async ({ number }) => {
        active += 1; await new Promise(setImmediate); const seen = active; active -= 1; return [number, seen]; };`,
      {},
      { options: { maxProcesses: 1 } },
    );

    const order: unknown[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, number) =>
        order.push(parsed(await local.invoke(JSON.stringify({ number })))),
      ),
    );

    expect(order).toEqual(Array.from({ length: 20 }, (_, number) => [number, 1]));
    expect(local.stats()).toEqual({ processes: 1, running: 0, waiting: 0 });
  });

  it("a function runs as many invocations at once as it may have processes", async () => {
    const local = await probe(GATED, {}, { options: { maxProcesses: 2 } });
    const [first, second, third] = [gate(), gate(), gate()];

    const answers = [first, second, third].map((each) => local.invoke(JSON.stringify(each)));
    const pids = await Promise.all([pidAt(first), pidAt(second)]);

    expect(new Set(pids).size).toBe(2);
    expect(local.stats()).toEqual({ processes: 2, running: 2, waiting: 1 });
    await Promise.all([first, second, third].map((each) => writeFile(each.gate, "")));
    expect(await Promise.all(answers)).toMatchObject([{ kind: "success" }, { kind: "success" }, { kind: "success" }]);
  });

  it("a function throttles the first invocation over the reserved concurrency", async () => {
    const local = await probe(GATED, { reservedConcurrency: 2 }, { options: { maxProcesses: 8 } });
    const gates = [gate(), gate()];
    const answers = gates.map((each) => local.invoke(JSON.stringify(each)));

    expect(await local.invoke(JSON.stringify(gate()))).toEqual({ kind: "throttle" });
    await Promise.all(gates.map((each) => writeFile(each.gate, "")));

    expect((await Promise.all(answers)).map((result) => result.kind)).toEqual(["success", "success"]);
  });

  it("a function throttles everything when nothing is reserved", async () => {
    const local = await probe("exports.handler = async () => 1;", { reservedConcurrency: 0 });

    expect(await local.invoke("{}")).toEqual({ kind: "throttle" });
  });
});

describe("the end of a function", () => {
  it("a function finishes running invocations on the old code after a reload; new ones run the new code", async () => {
    const old = await probe(GATED);
    const held = gate();
    const inFlight = old.invoke(JSON.stringify({ ...held, answer: "old" }));
    const pid = await pidAt(held);

    old.reload(modelOf({ assetPath: await asset("exports.handler = async () => 'new';") }));

    expect(await old.invoke("{}")).toEqual({ kind: "success", payload: '"new"' });
    await writeFile(held.gate, "");
    expect(await inFlight).toEqual({ kind: "success", payload: '"old"' });
    await ended(pid);
  });

  it("a function finishes running invocations before it stops, and throttles afterwards", async () => {
    const local = await probe(GATED);
    const held = gate();
    const inFlight = local.invoke(JSON.stringify(held));
    const pid = await pidAt(held);

    const stopping = local.stop(new AbortController().signal);

    expect(await local.invoke("{}")).toEqual({ kind: "throttle" });
    await writeFile(held.gate, "");
    expect(await inFlight).toMatchObject({ kind: "success" });
    await stopping;
    await ended(pid);
    expect(local.stats().processes).toBe(0);
  });

  it("a function kills running invocations once it has to give up", async () => {
    const local = await probe(GATED);
    const held = gate();
    const inFlight = local.invoke(JSON.stringify(held));
    const pid = await pidAt(held);

    await local.stop(AbortSignal.abort());

    expect(await inFlight).toEqual({ kind: "crash", detail: "the runtime ended the process" });
    await ended(pid);
  });

  it("a function goes on through the signals that a terminal sends to the whole group", async () => {
    const local = await probe(GATED);
    const held = gate();
    const inFlight = local.invoke(JSON.stringify(held));
    const pid = await pidAt(held);

    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);
    await writeFile(held.gate, "");

    expect(await inFlight).toMatchObject({ kind: "success" });
  });

  it("a function leaves no process behind when the runtime is killed", async () => {
    const held = gate();
    const main = join(import.meta.dirname, "../../localstack/lambda/start-function.ts");
    const model = modelOf({ assetPath: await asset(GATED) });
    const runtime = spawn(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `import { startFunction } from ${JSON.stringify(main)};
        startFunction(${JSON.stringify(model)}, { endpoints: {}, maxProcesses: 1, region: "r", log() {} })
          .invoke(${JSON.stringify(JSON.stringify(held))});`,
      ],
      { stdio: "ignore" },
    );
    const pid = await pidAt(held);

    runtime.kill("SIGKILL");

    await expect(ended(pid)).resolves.toBe(true);
  });
});

async function probe(
  source: string,
  model: Partial<FunctionModel> = {},
  more: { file?: string; package?: string; options?: Partial<FunctionOptions> } = {},
): Promise<LocalFunction> {
  return start(modelOf({ assetPath: await asset(source, more), ...model }), more.options);
}

function start(model: FunctionModel, options: Partial<FunctionOptions> = {}): LocalFunction {
  const local = startFunction(model, {
    region: "eu-central-1",
    endpoints: ENDPOINTS,
    maxProcesses: 2,
    log: (line) => lines.push(line),
    ...options,
  });
  started.push(local);
  return local;
}

async function asset(source: string, more: { file?: string; package?: string } = {}): Promise<string> {
  const folder = join(root, `asset-${count++}`);
  await mkdir(folder);
  await writeFile(join(folder, more.file ?? "index.js"), source);
  if (more.package !== undefined) await writeFile(join(folder, "package.json"), more.package);
  return folder;
}

function modelOf(model: Partial<FunctionModel>): FunctionModel {
  return {
    logicalId: "Probe",
    name: "probe",
    arn: ARN,
    handler: "index.handler",
    assetPath: root,
    // Longer than any test here takes.
    timeoutSeconds: 60,
    memoryMegabytes: 256,
    environment: {},
    reservedConcurrency: undefined,
    metricFilters: [],
    ...model,
  };
}

function parsed(result: InvokeResult): unknown {
  return result.kind === "success" ? JSON.parse(result.payload) : result;
}

function gate(): { arrived: string; gate: string } {
  const name = join(root, `gate-${count++}`);
  return { arrived: `${name}.arrived`, gate: name };
}

/** The id of the process whose handler has reached its gate. */
async function pidAt(held: { arrived: string }): Promise<number> {
  return eventually(
    async () => Number(await readFile(held.arrived, "utf8")),
    (pid) => pid > 0,
  );
}

function ended(pid: number): Promise<boolean> {
  const hasEnded = () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  };
  return eventually(hasEnded, (isTrue) => isTrue);
}
