import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

type Package = {
  version?: string;
  integrity?: string;
  resolved?: string;
  inBundle?: boolean;
  optionalDependencies?: Record<string, string>;
  hasInstallScript?: boolean;
};
const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Package> };
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, Record<string, string | boolean>>;

describe("package-lock.json", () => {
  it("package-lock.json has the packages of every platform, or npm ci refuses it", () => {
    const missing = Object.entries(lock.packages)
      .filter(([, { inBundle }]) => !inBundle)
      .flatMap(([path, { optionalDependencies = {} }]) =>
        Object.keys(optionalDependencies).map((name) => [path, name] as const),
      )
      .filter(
        ([path, name]) =>
          lock.packages[`node_modules/${name}`] === undefined &&
          lock.packages[`${path}/node_modules/${name}`] === undefined,
      );

    expect(missing).toEqual([]);
  });

  it("package-lock.json names no download addresses", () => {
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved?.startsWith("http"))).toEqual([]);
  });
});

describe("package.json", () => {
  it("package.json pins every version exactly", () => {
    const versions = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}),
    );

    for (const [name, version] of versions) expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  });

  it("package.json allows or forbids each install script", () => {
    const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);

    for (const [path] of scripted.filter(([path]) => path !== "")) {
      expect(manifest["allowScripts"], path).toHaveProperty([path.replace(/^.*node_modules\//, "")]);
    }
  });

  it("the scripts run on the Node major of Lambda", () => {
    expect(process.versions.node).toMatch(/^24\./);
  });
});
