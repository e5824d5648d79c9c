/**
 * The program of a function's process: loads the handler as the nodejs24.x runtime does and serves one invocation after
 * the other over the IPC channel (`messages.ts`). It is plain JavaScript, because Node starts that in 40 ms and a file
 * whose types it must strip in 90 ms, at every cold start.
 *
 * Unlike Lambda, the process is not frozen between invocations: timers of a handler go on.
 * Contract: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html and the runtime interface client,
 * https://github.com/aws/aws-lambda-nodejs-runtime-interface-client (handler.length >= 3 is refused, no
 * callbackWaitsForEmptyEventLoop in the context, error shapes).
 */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const send = process.send.bind(process);
const root = realpathSync(process.cwd());
const responseLimit = Number(process.argv[2]);

// The terminal sends Ctrl-C to the whole group; the runtime alone decides when a function ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
// The runtime has ended: nobody waits for an answer any more.
process.on("disconnect", () => process.exit());
if (!process.connected) process.exit();
process.on("uncaughtException", (error) => fatal(error));
process.on("unhandledRejection", (reason) => {
  const detail = describe(reason);
  fatal(named("Runtime.UnhandledPromiseRejection", `${detail.errorType}: ${detail.errorMessage}`, detail.stack));
});

let ended = false;

function fatal(error) {
  if (ended) return;
  ended = true;
  if (!process.connected) process.exit(1);
  send({ type: "fatal", ...describe(error) }, () => process.exit(1));
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), stack: [] };
  return { errorType: error.name, errorMessage: error.message, stack: (error.stack ?? "").split("\n") };
}

function named(name, message, stack) {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack.join("\n");
  return error;
}

/** A `.js` file in /var/task is CommonJS unless its own package.json says otherwise. The checkout's must not matter. */
function hasOwnPackage(file) {
  for (let folder = dirname(file); folder.startsWith(root); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return true;
    if (folder === root) return false;
  }
  return true;
}

registerHooks({
  load(url, context, next) {
    if (!url.startsWith("file:") || !url.endsWith(".js")) return next(url, context);
    const file = fileURLToPath(url);
    if (!file.startsWith(root + sep) || hasOwnPackage(file)) return next(url, context);
    return { format: "commonjs", shortCircuit: true, source: readFileSync(file, "utf8") };
  },
});

async function loadModule(path) {
  const file = ["", ".js", ".mjs", ".cjs"].map((extension) => path + extension).find((name) => existsSync(name));
  if (file === undefined) throw named("Runtime.ImportModuleError", `Error: Cannot find module '${path}'`);
  try {
    if (file.endsWith(".mjs") || (file.endsWith(".js") && hasOwnPackage(file)))
      return await import(pathToFileURL(file));
    return createRequire(file)(file);
  } catch (error) {
    const detail = describe(error);
    if (error instanceof SyntaxError)
      throw named("Runtime.UserCodeSyntaxError", `${detail.errorType}: ${detail.errorMessage}`, detail.stack);
    if (error?.code === "MODULE_NOT_FOUND")
      throw named("Runtime.ImportModuleError", `${detail.errorType}: ${detail.errorMessage}`, detail.stack);
    throw error;
  }
}

async function loadHandler(name) {
  const dot = name.lastIndexOf(".");
  const module = await loadModule(join(root, name.slice(0, dot)));
  const handler = module[name.slice(dot + 1)] ?? module.default?.[name.slice(dot + 1)];
  if (typeof handler !== "function")
    throw named("Runtime.HandlerNotFound", `${name} is undefined or not exported, or is not a function`);
  if (handler.length >= 3)
    throw named(
      "Runtime.CallbackHandlerDeprecated",
      "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24: " +
        "make the handler async (event, context)",
    );
  return handler;
}

function contextOf({ requestId, functionArn, traceId, deadline }) {
  return {
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: requestId,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    xRayTraceId: traceId,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function serialize(result) {
  let payload;
  try {
    payload = JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch {
    throw named("Runtime.JSONStringifyError", "Unable to stringify response body");
  }
  if (Buffer.byteLength(payload) > responseLimit)
    throw named(
      "Function.ResponseSizeTooLarge",
      `Response payload size exceeded maximum allowed payload size (${responseLimit} bytes).`,
    );
  return payload;
}

try {
  const handler = await loadHandler(process.env._HANDLER);
  process.on("message", async (message) => {
    process.env._X_AMZN_TRACE_ID = message.traceId;
    let answer;
    try {
      answer = { type: "result", payload: serialize(await handler(JSON.parse(message.payload), contextOf(message))) };
    } catch (error) {
      answer = { type: "error", ...describe(error) };
    }
    if (process.connected) send(answer);
  });
  send({ type: "ready" });
} catch (error) {
  fatal(error);
}
