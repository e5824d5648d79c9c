import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-install-"));
  const packages = { dependencies: { zod: "1.0.0" }, devDependencies: { pg: "1.0.0", esbuild: "1.0.0" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(packages));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The program of a package that has one for each platform. */
const ESBUILD = `@esbuild/${process.platform}-${process.arch}`;

const check = () => {
  const { status, stderr } = spawnSync(process.execPath, [resolve("scripts/check-installed.mjs")], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stderr };
};

function install(name: string): void {
  mkdirSync(join(folder, "node_modules", name), { recursive: true });
  writeFileSync(join(folder, "node_modules", name, "package.json"), "{}");
}

describe("the check before a command", () => {
  it("the check before a command names the missing packages and the command that installs them", () => {
    expect(check()).toEqual({
      status: 2,
      stderr:
        "error: npm has not installed zod, pg, esbuild and 1 more packages. Run: npm ci --include=dev --include=optional\n",
    });

    for (const name of ["zod", "esbuild"]) install(name);
    expect(check()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`error: npm has not installed pg, ${ESBUILD}. Run:`),
    });

    for (const name of ["pg", ESBUILD]) install(name);
    expect(check()).toEqual({ status: 0, stderr: "" });
  });

  it("the packages of development are installed whatever NODE_ENV says", () => {
    const { stdout } = spawnSync("npm", ["ls", "commander", "--depth=0", "--json"], {
      encoding: "utf8",
      env: { ...process.env, NODE_ENV: "production" },
    });

    expect(JSON.parse(stdout)).toHaveProperty("dependencies.commander");
  });
});
