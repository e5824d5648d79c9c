import { spawn } from "node:child_process";

/** `npm run test:faults [-- vitest's own words]`: every fault case at full size; all green, it writes docs/reliability.md. */
// Three files at a time: most cases wait for most of their time.
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "faults", "--maxWorkers=3"];
const words = [...vitest, ...process.argv.slice(2)];
const child = spawn(process.execPath, words, { stdio: "inherit", env: { ...process.env, FAULTS: "full" } });
child.once("exit", (code) => process.exit(code ?? 1));
