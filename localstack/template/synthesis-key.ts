import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The folders that a synthesis reads: the CDK app and the code that it bundles. */
export const SOURCE_FOLDERS = ["bin", "catalog", "console", "functions", "lib"];
/** The settings of one's own, and the versions and settings of the libraries that the app and the code use. */
export const INPUT_FILES = ["sluice.config.json", "cdk.json", "package.json", "package-lock.json", "tsconfig.json"];

/**
 * A hash of everything that a synthesis reads. Files are read whole (a checkout has some hundred small ones), because
 * their times would miss a `git checkout` and rebuild after a clone.
 */
export async function synthesisKey(projectDir: string, context: Record<string, unknown>): Promise<string> {
  const hash = createHash("sha256").update(`${process.version}\n${JSON.stringify(context)}\n`);
  const found = await Promise.all(SOURCE_FOLDERS.map((folder) => listFiles(projectDir, folder)));
  const paths = [...found.flat().toSorted(), ...INPUT_FILES];
  const contents = await Promise.all(paths.map((path) => readIfPresent(join(projectDir, path))));
  for (const [index, path] of paths.entries()) {
    const content = contents[index];
    hash.update(`${path}\0${content === undefined ? "absent" : content.length}\0`).update(content ?? "");
  }
  return hash.digest("hex");
}

async function listFiles(projectDir: string, folder: string): Promise<string[]> {
  try {
    const entries = await readdir(join(projectDir, folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(projectDir.length + 1));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
