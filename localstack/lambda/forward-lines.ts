import type { Readable } from "node:stream";
import type { MetricFilterModel } from "../template/model.ts";
import { type Datapoint, datapointsIn } from "./datapoints.ts";

/** A longer line is cut, so that a function cannot fill the runtime's memory. */
const LONGEST_LINE_CHARACTERS = 256 * 1024;

/** Gets a line from which CloudWatch would extract metrics, and the datapoints. */
export type ReceiveMetrics = (line: string, datapoints: Datapoint[]) => void;

/**
 * Passes each line of a function to `log`, and to `metrics` if CloudWatch would extract metrics from it. The log then has it without the
 * directives of the metrics, and not at all where it says nothing else.
 * @param options.filters those of the function's log group
 */
export function forwardLines(
  stream: Readable,
  {
    log,
    metrics = () => undefined,
    filters = [],
  }: { log: (line: string) => void; metrics?: ReceiveMetrics | undefined; filters?: readonly MetricFilterModel[] },
): void {
  let rest = "";
  const forward = (line: string) => {
    if (line === "") return;
    const datapoints = datapointsIn(line, filters);
    if (datapoints === undefined) return log(line);
    metrics(line, datapoints);
    const shown = withoutMetrics(line);
    if (shown !== undefined) log(shown);
  };

  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) forward(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (rest.length > LONGEST_LINE_CHARACTERS) {
      forward(rest);
      rest = "";
    }
  });
  stream.on("end", () => {
    forward(rest);
    rest = "";
  });
  stream.on("error", () => {});
}

/** A line with metrics as the log has it: undefined where it has nothing else. */
export function withoutMetrics(line: string): string | undefined {
  if (!line.includes('"_aws"') && line.includes('"message":')) return line;
  const { _aws, ...members } = JSON.parse(line) as Record<string, unknown>;
  return members["message"] === undefined ? undefined : JSON.stringify(members);
}
