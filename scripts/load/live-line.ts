export type LiveLine = { show(line: string): void; end(): void };

/** The time between lines where no terminal shows one line that changes. */
const LINE_EVERY_MS = 10_000;

/** Shows on stderr how a run goes: a line that changes on a terminal, a line each ten seconds elsewhere. */
export function startLiveLine(
  stream: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write"> = process.stderr,
): LiveLine {
  let last = Number.NEGATIVE_INFINITY;
  return {
    show(line) {
      if (stream.isTTY) stream.write(`\r\u001b[K${line.slice(0, stream.columns - 1)}`);
      else if (performance.now() - last >= LINE_EVERY_MS) {
        last = performance.now();
        stream.write(`${line}\n`);
      }
    },
    end() {
      if (stream.isTTY) stream.write("\r\u001b[K");
    },
  };
}
