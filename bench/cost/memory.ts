import type { FunctionRole } from "../pipeline/operations.ts";
import { WHOLE_PROCESSOR_MEGABYTES } from "./assumptions.ts";
import type { Measured } from "./bill.ts";
import { part } from "./bill-part.ts";

/** An invocation of a function, as the mean of a run. */
export type Invocation = {
  name: FunctionRole;
  processorMs: number;
  waitingMs: number;
  /** The most memory that one of its processes had, or undefined where the platform does not say. */
  peakMegabytes: number | undefined;
  /** The memory that the stack gives it. */
  memoryMegabytes: number;
};

/** The sizes that the table compares; the last one has a whole processor. */
export const MEMORY_SIZES: readonly number[] = [128, 256, 512, 1_024, WHOLE_PROCESSOR_MEGABYTES];

/** The mean invocations of the functions whose processor time is known. */
export function meanInvocations({
  operations,
  functionProcessorSeconds,
  functionPeakMegabytes,
}: Measured): Invocation[] {
  return (["ingest", "consume"] as const).flatMap((name) => {
    const { invocations, milliseconds, memoryMegabytes } = operations.functions[name];
    const seconds = functionProcessorSeconds[name];
    if (seconds === undefined || invocations === 0) return [];
    const processorMs = Math.min(1_000 * seconds, milliseconds) / invocations;
    const waitingMs = milliseconds / invocations - processorMs;
    return { name, processorMs, waitingMs, peakMegabytes: functionPeakMegabytes[name], memoryMegabytes };
  });
}

/** The billed time of an invocation at a size, and dollars per million of them. Undefined where its memory does not fit. */
export function atMemory(
  { processorMs, waitingMs, peakMegabytes = 0 }: Invocation,
  megabytes: number,
): { milliseconds: number; dollars: number } | undefined {
  if (peakMegabytes > megabytes) return undefined;
  const milliseconds = waitingMs + processorMs * Math.max(1, WHOLE_PROCESSOR_MEGABYTES / megabytes);
  const gigabyteSeconds = ((1e6 * milliseconds) / 1_000) * (megabytes / 1_024);
  const parts = [
    part("invocations", 1e6, "lambdaRequest"),
    part("GB-seconds", gigabyteSeconds, "lambdaArmGigabyteSecond"),
  ];
  return { milliseconds, dollars: parts.reduce((sum, each) => sum + each.dollars, 0) };
}
