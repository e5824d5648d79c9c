import type { AlarmReader, AlarmState } from "../core/alarms.ts";
import type { Clock } from "../core/ports.ts";
import type { AlarmsAnswer } from "../core/status-answers.ts";

/** Callers within this time get one answer: a page that is open in ten browsers asks CloudWatch twice a minute. */
const KEPT_MS = 30_000;

/** Reads the open alarms of the installation. @param alarms undefined where there is no CloudWatch */
export function createReadAlarms({ alarms, clock }: { alarms: AlarmReader | undefined; clock: Clock }) {
  let kept: { until: number; answer: Promise<AlarmsAnswer> } | undefined;

  /** Never throws: an answer that could not be read says so. */
  return function readAlarms(deadline: number): Promise<AlarmsAnswer> {
    const now = clock().getTime();
    if (kept === undefined || now >= kept.until) kept = { until: now + KEPT_MS, answer: ask(now, deadline) };
    return kept.answer;
  };

  async function ask(now: number, deadline: number): Promise<AlarmsAnswer> {
    const at = new Date(now).toISOString();
    if (alarms === undefined)
      return { at, unavailable: "There is no CloudWatch on this machine, so no alarm is watched." };
    try {
      return { at, ...toAnswer(await alarms.read(deadline)) };
    } catch {
      kept = undefined;
      return { at, unavailable: "CloudWatch did not answer." };
    }
  }
}

function toAnswer(alarms: readonly AlarmState[]) {
  const counts = { ok: 0, alarm: 0, insufficientData: 0 };
  for (const { state } of alarms) counts[state] += 1;
  const open = alarms.filter(({ state }) => state === "alarm").toSorted((a, b) => b.since - a.since);
  return {
    counts,
    alarms: open.map(({ name, description, reason, since }) => ({
      name,
      state: "ALARM" as const,
      since: new Date(since).toISOString(),
      ...partsOf(description),
      reason,
    })),
  };
}

/** The sentence about an alarm, and the section of the runbook that stands behind it (lib/alarm.ts). */
function partsOf(text = ""): { description?: string; runbook?: string } {
  const { description, runbook } =
    /^(?<description>.*?)(?: ?See (?<runbook>docs\/runbook\.md#[a-z0-9-]+)\.)?$/s.exec(text)?.groups ?? {};
  return { ...(description && { description }), ...(runbook !== undefined && { runbook }) };
}
