import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EmulatorCommand } from "./emulator-process.ts";

/** The version that everything here was tested with. */
export const MINISTACK_VERSION = "1.4.21";

/**
 * MiniStack (https://github.com/ministackorg/ministack), which runs Node.js functions as processes of this machine: on
 * this very Node.
 * @param folder for its files
 */
export async function ministack(program: string, port: number, folder: string): Promise<EmulatorCommand> {
  await mkdir(folder, { recursive: true });
  // MiniStack unpacks the functions here. They are CommonJS, whatever the package.json of a folder above says.
  await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }\n');
  const environment = {
    BIND_HOST: "127.0.0.1",
    // In the addresses of queues.
    MINISTACK_HOST: "127.0.0.1",
    GATEWAY_PORT: String(port),
    LAMBDA_EXECUTOR: "local",
    TMPDIR: folder,
    S3_DATA_DIR: folder,
    PYTHONPATH: join(import.meta.dirname, "ministack-repairs"),
    // Python would write beside the sources.
    PYTHONDONTWRITEBYTECODE: "1",
  };
  return { name: "MiniStack", program, words: [], environment };
}
