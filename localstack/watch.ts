import { watch } from "node:fs";
import { join } from "node:path";

/** Editors write a file in several steps; one rebuild serves them all. */
const QUIET_MS = 100;

const FOLDERS = ["bin", "lib", "functions"];

/** Calls `onChange` after sources changed, one call at a time; a failure is logged and what ran goes on running. */
export function watchSources(projectDir: string, onChange: () => Promise<void>, log: (line: string) => void) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(onChange).catch((error: unknown) => {
        log(`Not reloaded: ${error instanceof Error ? error.message : String(error)}`);
      });
    }, QUIET_MS);
  };
  const watchers = FOLDERS.map((folder) => watch(join(projectDir, folder), { recursive: true }, changed));
  return {
    async stop(): Promise<void> {
      for (const watcher of watchers) watcher.close();
      clearTimeout(timer);
      await running;
    },
  };
}
