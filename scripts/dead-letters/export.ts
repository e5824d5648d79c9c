import { createWriteStream, existsSync, type WriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { finished } from "node:stream/promises";

export type LineFile = {
  add(line: string): void;
  /** Puts the file in its place. */
  finish(): Promise<void>;
  /** Leaves no half-written file behind. */
  discard(): Promise<void>;
};

/** Events may be personal: a file of them is for its owner. */
const OWNER_ONLY = 0o600;

/**
 * A file of lines that stands in its place whole or not at all; `-` is stdout.
 * @throws Error when there is a file already: somebody may have corrected events in it
 */
export function openLineFile(path: string): LineFile {
  if (path === "-") {
    const done = () => Promise.resolve();
    return { add: (line) => void process.stdout.write(`${line}\n`), finish: done, discard: done };
  }
  if (existsSync(path)) throw new Error(`${path} exists already: name another file, or delete that one.`);
  const part = `${path}.part`;
  const stream: WriteStream = createWriteStream(part, { mode: OWNER_ONLY });
  const written = finished(stream);
  // It is awaited below, but may fail before that.
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
