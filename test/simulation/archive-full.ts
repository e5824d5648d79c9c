import { spawn } from "node:child_process";

/** `npm run test:archive`: a million events are archived, dropped and restored while each call is killed; writes docs/reliability.md. */
const words = ["node_modules/vitest/vitest.mjs", "run", "test/simulation/archive-restore.test.ts"];
const child = spawn(process.execPath, words, { stdio: "inherit", env: { ...process.env, ARCHIVE: "full" } });
child.once("exit", (code) => process.exit(code ?? 1));
