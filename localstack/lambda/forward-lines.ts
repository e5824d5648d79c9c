import type { Readable } from "node:stream";

/** A longer line is cut, so that a function cannot fill the runtime's memory. */
const LONGEST_LINE_CHARACTERS = 256 * 1024;

/**
 * Passes each line of a function to `log`, and to `metrics` if CloudWatch would extract metrics from it. The log then has it without the
 * directives of the metrics, and not at all where it says nothing else.
 */
export function forwardLines(
  stream: Readable,
  log: (line: string) => void,
  metrics: (line: string) => void = () => undefined,
): void {
  let rest = "";
  const forward = (line: string) => {
    if (line === "") return;
    if (!isEmbeddedMetric(line)) return log(line);
    metrics(line);
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
  const { _aws, ...members } = JSON.parse(line) as Record<string, unknown>;
  return members["message"] === undefined ? undefined : JSON.stringify(members);
}

/**
 * True for a line in CloudWatch's embedded metric format: a JSON object with an `_aws` member.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function isEmbeddedMetric(line: string): boolean {
  if (!line.startsWith("{") || !line.includes('"_aws"')) return false;
  try {
    return typeof JSON.parse(line)._aws === "object";
  } catch {
    return false;
  }
}
