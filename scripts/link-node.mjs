// Runs after npm ci, on any Node: links node_modules/.bin/node to the Node 24 of the platform's package
// (docs/decisions/0001). npm 11 links it itself. npm 10 deletes the link when it removes the packages of other platforms,
// which have a binary of the same name.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";

const { optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const windows = process.platform === "win32";
const binary = Object.keys(optionalDependencies)
  .map((name) => resolve("node_modules", name, "bin", windows ? "node.exe" : "node"))
  .find((path) => existsSync(path));

if (binary === undefined) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 24) {
    console.warn(
      `npm installed no Node 24 for ${process.platform}-${process.arch}, and this is Node ${major}: install Node 24.`,
    );
  }
} else {
  const link = resolve("node_modules", ".bin", "node");
  mkdirSync(dirname(link), { recursive: true });
  if (windows) {
    writeFileSync(`${link}.cmd`, `@"%~dp0\\${relative(dirname(link), binary)}" %*\r\n`);
  } else {
    rmSync(link, { force: true });
    symlinkSync(relative(dirname(link), binary), link);
  }
}
