import { createWriteStream, existsSync, type WriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";

export type LineFile = {
  add(line: string): void;
  /** Completes the file and gives it its name. */
  finish(): Promise<void>;
  /** Deletes the half-written file. */
  discard(): Promise<void>;
};

/** Events may be personal, so only the owner may read the file. */
const OWNER_ONLY = 0o600;

/**
 * Opens a file of lines that gets its name only once it is complete; `-` is stdout.
 * @throws Error when the file exists: it may hold corrected events
 */
export function openLineFile(path: string): LineFile {
  if (path === "-") {
    const done = () => Promise.resolve();
    return { add: (line) => void process.stdout.write(`${line}\n`), finish: done, discard: done };
  }
  if (existsSync(path)) throw new Error(`${path} exists already: name another file, or delete that one.`);
  const folder = dirname(path);
  if (!existsSync(folder)) throw new Error(`${folder} does not exist: make the folder, or name another file.`);
  const part = `${path}.part`;
  const stream: WriteStream = createWriteStream(part, { mode: OWNER_ONLY });
  const written = finished(stream);
  // It is awaited below, but may reject before that.
  written.catch(() => undefined);
  const end = () => {
    stream.end();
    return written;
  };
  return {
    add: (line) => void stream.write(`${line}\n`),
    async finish() {
      await end();
      await rename(part, path);
    },
    async discard() {
      await end().catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}
