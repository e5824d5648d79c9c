const MILLISECONDS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * The period of `rate(value unit)` in milliseconds. EventBridge wants the singular for 1 and the plural for the rest.
 * `cron(...)` needs a calendar, which the local stack does not have: it throws, and names the expression.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function periodMilliseconds(expression: string): number {
  const match = /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(expression);
  const [, value = "", unit = "", plural = ""] = match ?? [];
  if (match !== null && (value === "1") === (plural === "")) return Number(value) * (MILLISECONDS[unit] ?? 0);
  throw new Error(
    expression.startsWith("cron(")
      ? `The schedule ${expression} does not run locally: only rate(...) does. Use rate(...), or teach expression.ts cron.`
      : `${expression} is not a schedule expression. Examples: rate(1 day), rate(5 minutes).`,
  );
}
