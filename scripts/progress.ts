import { Presets, SingleBar } from "cli-progress";

export type Progress = { advance(count: number): void; stop(): void };

/** A progress bar on stderr where somebody watches; nothing where the output goes to a file or another program. */
export function startProgress(total: number, unit: string): Progress {
  if (!process.stderr.isTTY) return { advance: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    { format: `{bar} {percentage}% | {value}/{total} ${unit} | {eta_formatted} left`, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { advance: (count) => bar.increment(count), stop: () => bar.stop() };
}
