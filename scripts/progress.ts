import { Presets, SingleBar } from "cli-progress";

export type Progress = { advance(count: number): void; setTotal(total: number): void; stop(): void };

/** Shows a progress bar on stderr, but only on a terminal. */
export function startProgress(total: number, unit: string): Progress {
  if (!process.stderr.isTTY) {
    const nothing = () => undefined;
    return { advance: nothing, setTotal: nothing, stop: nothing };
  }
  const bar = new SingleBar(
    { format: `{bar} {percentage}% | {value}/{total} ${unit} | {eta_formatted} left`, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return {
    advance: (count) => bar.increment(count),
    setTotal: (changed) => bar.setTotal(changed),
    stop: () => bar.stop(),
  };
}
