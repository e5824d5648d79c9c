import { cp, mkdtemp, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PARTS = [
  "bin",
  "lib",
  "functions",
  "catalog",
  "console",
  "cli",
  "localstack",
  "cdk.json",
  "package.json",
  "package-lock.json",
];

/** A copy of this project in a folder of its own, for a test that edits sources. */
export async function copyProject(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "sluice-copy-"));
  for (const name of PARTS) await cp(name, join(copy, name), { recursive: true });
  await symlink(resolve("node_modules"), join(copy, "node_modules"));
  return copy;
}
