import { resolve } from "node:path";
import { vi } from "vitest";
import type { runScript } from "./run-script.ts";

/**
 * Runs a command of scripts/ in this process, which takes a tenth of the processor time of a process of its own. Its words,
 * variables, output and exit code are those of a process (test/local/commands.test.ts compares both); signals and the
 * terminal are not. Calls of one worker run one after the other.
 */
export const callScript: typeof runScript = (name, args, environment) => {
  const ended = last.then(() => callAlone(name, args, environment));
  last = ended.catch(() => undefined);
  return ended;
};

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

let last: Promise<unknown> = Promise.resolve();
let calls = 0;

async function callAlone(name: string, args: string[], environment?: NodeJS.ProcessEnv): ReturnType<typeof runScript> {
  const { argv, exitCode } = process;
  const variables = { ...process.env };
  const output = { stdout: "", stderr: "" };
  const streams = ["stdout", "stderr"] as const;
  const listeners = streams.map((stream) => process[stream].listeners("error"));
  const handlers = SIGNALS.map((signal) => process.listeners(signal));
  const writes = streams.map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      output[stream] += String(text);
      return true;
    }),
  );
  const script = resolve(`scripts/${name}.ts`);
  process.argv = [process.execPath, script, ...args];
  process.exitCode = undefined;
  Object.assign(process.env, environment);
  try {
    // Another address is another module, which runs again; what it imports is loaded once.
    const address = `${script}?call=${calls++}`;
    await import(address);
    // It is set while the command runs, which the compiler cannot know.
    const code = process.exitCode as number | undefined;
    return { code: code ?? 0, ...output };
  } finally {
    for (const write of writes) write.mockRestore();
    for (const [index, stream] of streams.entries()) {
      process[stream].removeAllListeners("error");
      for (const each of listeners[index] ?? []) process[stream].on("error", each as () => void);
    }
    // A command listens until its process ends; eleven of them would make Node warn on the stderr of the eleventh.
    for (const [index, signal] of SIGNALS.entries())
      for (const each of process.listeners(signal)) if (!handlers[index]?.includes(each)) process.off(signal, each);
    for (const each of Object.keys(process.env)) if (!(each in variables)) delete process.env[each];
    Object.assign(process.env, variables);
    process.argv = argv;
    process.exitCode = exitCode;
  }
}
