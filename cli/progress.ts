import { Presets, SingleBar } from "cli-progress";

export type Progress = { advance(count: number): void; setTotal(total: number): void; stop(): void };

/** The time between lines that say how far the command is, where no terminal shows a bar. */
const LINE_EVERY_MS = 10_000;

/** Shows on stderr how far a command is: a bar on a terminal, lines elsewhere. Without a total it only counts. */
export function startProgress(total: number | undefined, unit: string): Progress {
  return process.stderr.isTTY ? startBar(total, unit) : startLines(total, unit);
}

function startBar(total: number | undefined, unit: string): Progress {
  const format =
    total === undefined ? `{value} ${unit}` : `{bar} {percentage}% | {value}/{total} ${unit} | {eta_formatted} left`;
  const bar = new SingleBar({ format, stream: process.stderr }, Presets.shades_classic);
  bar.start(total ?? Number.MAX_SAFE_INTEGER, 0);
  return {
    advance: (count) => bar.increment(count),
    setTotal: (changed) => bar.setTotal(changed),
    stop: () => bar.stop(),
  };
}

function startLines(total: number | undefined, unit: string): Progress {
  let value = 0;
  let all = total;
  const timer = setInterval(() => {
    process.stderr.write(`${value}${all === undefined ? "" : ` of ${all}`} ${unit}\n`);
  }, LINE_EVERY_MS).unref();
  return {
    advance: (count) => void (value += count),
    setTotal: (changed) => void (all = changed),
    stop: () => clearInterval(timer),
  };
}
