import { spawn } from "node:child_process";

/** `npm run test:faults [-- vitest's own words]`: every fault case at full size; all green, it writes docs/reliability.md. */
const words = ["node_modules/vitest/vitest.mjs", "run", "--project", "faults", ...process.argv.slice(2)];
const child = spawn(process.execPath, words, { stdio: "inherit", env: { ...process.env, FAULTS: "full" } });
child.once("exit", (code) => process.exit(code ?? 1));
