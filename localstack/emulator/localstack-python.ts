import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import * as z from "zod";

const REQUIREMENTS_FILE = join(import.meta.dirname, "localstack-requirements.txt");
const REQUIREMENTS = relative(join(import.meta.dirname, "../.."), REQUIREMENTS_FILE);

export const INSTALL_LOCALSTACK = `python3.13 -m venv .venv && .venv/bin/pip install -r ${REQUIREMENTS} && export PATH="$PWD/.venv/bin:$PATH"`;

/** LocalStack 4.14 imports `warnings.deprecated`, which came with this Python (localstack/utils/tagging.py). */
const OLDEST_PYTHON = [3, 13] as const;

const facts = z.object({
  /** Major and minor version. */
  python: z.tuple([z.int(), z.int()]),
  /** Each required package's version, null where it is not installed. */
  packages: z.record(z.string(), z.string().nullable()),
});
type Facts = z.infer<typeof facts>;

/** A line of the requirements: a package, perhaps with extras, and the version that it is bound to. */
type Requirement = { line: string; name: string; operator: string; version: string };

/** True if LocalStack is installed in the environment of a Python, in whatever state. */
export function hasLocalstack(python: string): boolean {
  return inspect(python, readRequirements())?.packages["localstack-core"] != null;
}

/** @throws Error that names what LocalStack lacks in the environment of a Python, and the command that installs it */
export function requireLocalstack(python: string): void {
  const requirements = readRequirements();
  const found = inspect(python, requirements);
  if (found === undefined) throw new Error(`${python} does not run. Install Python 3.13, then: ${INSTALL_LOCALSTACK}`);
  const [major, minor] = found.python;
  const [oldestMajor, oldestMinor] = OLDEST_PYTHON;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(
      `LocalStack needs Python ${OLDEST_PYTHON.join(".")} (newer ones were not tried), and ${python} is ${major}.${minor}. Install it (https://www.python.org/downloads/), and with it LocalStack: ${INSTALL_LOCALSTACK}`,
    );
  }
  if (found.packages["localstack-core"] === null) {
    throw new Error(`LocalStack is not installed for ${python}. Install it: ${INSTALL_LOCALSTACK}`);
  }
  const faults = requirements
    .filter((requirement) => !satisfies(found.packages[requirement.name], requirement))
    .map(({ line, name }) => `${line} (it has ${found.packages[name] ?? "none"})`);
  if (faults.length === 0) return;
  throw new Error(
    `LocalStack does not run with other versions than these, which ${python} lacks: ${faults.join(", ")}. Install them: ${python} -m pip install -r ${REQUIREMENTS}`,
  );
}

function readRequirements(): Requirement[] {
  return readFileSync(REQUIREMENTS_FILE, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, name, operator, version] = /^([\w-]+)(?:\[.*\])?(==|<)([\d.]+)$/.exec(line) ?? [];
      return name && operator && version ? [{ line, name, operator, version }] : [];
    });
}

/** Upper bounds are whole major versions. */
function satisfies(installed: string | null | undefined, { operator, version }: Requirement): boolean {
  if (installed == null) return false;
  return operator === "==" ? installed === version : Number.parseInt(installed, 10) < Number(version);
}

function inspect(python: string, requirements: Requirement[]): Facts | undefined {
  const names = requirements.map(({ name }) => name);
  const { stdout, status } = spawnSync(python, ["-c", INSPECT, ...names], { encoding: "utf8" });
  return status === 0 ? facts.parse(JSON.parse(stdout)) : undefined;
}

const INSPECT = `
import json, sys
from importlib import metadata
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
print(json.dumps({"python": sys.version_info[:2], "packages": {name: version(name) for name in sys.argv[1:]}}))
`;
