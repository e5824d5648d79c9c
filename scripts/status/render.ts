import { pluralize } from "../../cli/pluralize.ts";
import { toTable } from "../../cli/to-table.ts";
import type { AlarmsAnswer, StatusAnswer } from "../../functions/core/status-answers.ts";

type Part<T> = Exclude<T, { unavailable: string }>;
type Ledger = Part<StatusAnswer["ledger"]>;

/** Tells whether every part was read, and the counts are what was accepted but for events in flight. */
export function isSound({ ledger, queues, consumer }: StatusAnswer): boolean {
  if ("unavailable" in ledger || "unavailable" in queues || "unavailable" in consumer) return false;
  const all = [ledger, ...(ledger.tenants ?? [])];
  return all.every(({ difference, inFlight }) => difference === inFlight);
}

/** Writes the state for people, a section for each part. */
export function toText(answer: StatusAnswer, alarms: AlarmsAnswer): string {
  const { at, stage, version, build, tenant, ledger, queues, consumer, subscriptions, database } = answer;
  const age = (time: string | undefined) => ageOf(at, time);
  const whose = tenant === "*" ? "all tenants" : `tenant ${tenant}`;
  return [
    `${stage}, Sluice ${version} (${build}), ${whose}, ${at}`,
    section("EVENTS", ledger, (part) => `${ledgerText(part)}\n${verdictOf(part, age(part.takenAt))}`),
    "tenants" in ledger && ledger.tenants !== undefined && ledger.tenants.length > 0 ? tenantsText(ledger) : undefined,
    section("QUEUES", queues, ({ at: _at, ...depths }) =>
      toTable(
        ["queue", "visible", "in flight", "delayed"],
        Object.entries(depths).map(([name, { visible, inFlight, delayed }]) =>
          [NAMES[name] ?? name, visible, inFlight, delayed].map(String),
        ),
        Infinity,
      ),
    ),
    section("CONSUMER", consumer, ({ lagMs, lagAt, lastStoredAt }) =>
      [
        `last stored events ${age(lastStoredAt)}`,
        lagMs === undefined ? "" : `, ${lagMs / 1_000} s after they were accepted (${age(lagAt)})`,
      ].join(""),
    ),
    section("SUBSCRIPTIONS", subscriptions, ({ active, disabled, pending, takenAt }) =>
      [
        `${active} active, ${disabled} disabled,`,
        pluralizeDeliveries(pending),
        `pending (${takenAt === undefined ? "not counted yet" : age(takenAt)})`,
      ].join(" "),
    ),
    section("DATABASE", database, ({ state, usedAt }) => `${state}, last used ${age(usedAt)}`),
    section("ALARMS", alarms, ({ alarms: open, counts }) => alarmsText(open, counts, age)),
  ]
    .filter((each) => each !== undefined)
    .join("\n\n");
}

const NAMES: Readonly<Record<string, string>> = { deadLetters: "dead letters", wakeUps: "wake-ups" };

const pluralizeDeliveries = (count: number) => (count === 1 ? "1 delivery" : `${count} deliveries`);

function section<T extends object>(title: string, part: T, write: (part: Part<T>) => string): string {
  return `${title}\n${"unavailable" in part ? `not known: ${String(part.unavailable)}` : write(part as Part<T>)}`;
}

const COUNTS = ["accepted", "stored", "copies", "conflicts", "open", "replayed", "discarded"] as const;

function ledgerText(ledger: Ledger): string {
  const rows = [...COUNTS.map((name) => [name, ledger[name]] as const), ["in flight", ledger.inFlight] as const];
  const width = String(ledger.accepted).length;
  return rows.map(([name, count]) => `${name.padEnd(10)} ${String(count).padStart(width)}`).join("\n");
}

function verdictOf({ difference, inFlight, takenAt }: Ledger, age: string): string {
  if (takenAt === undefined)
    return "Nothing is counted yet: counts are taken at the end of a minute in which events are stored";
  if (difference !== inFlight)
    return `The counts differ from what was accepted by ${pluralize(difference - inFlight, "event")}: see docs/runbook.md, Ledger difference (counts of ${age})`;
  return `Every accepted event is in a count or in flight (counts of ${age})`;
}

function tenantsText({ tenants = [], moreTenants = 0 }: Ledger): string {
  const head = ["tenant", ...COUNTS, "in flight"];
  const rows = tenants.map((each) => [each.tenant, ...COUNTS.map((name) => String(each[name])), String(each.inFlight)]);
  const table = toTable(head, rows, Infinity);
  return `TENANTS\n${table}${moreTenants === 0 ? "" : `\nand ${pluralize(moreTenants, "tenant")} more`}`;
}

type Alarms = Part<AlarmsAnswer>;

function alarmsText(open: Alarms["alarms"], counts: Alarms["counts"], age: (time: string) => string): string {
  const of = pluralize(counts.ok + counts.alarm + counts.insufficientData, "alarm");
  const rows = open.map(({ name, since, description = "", runbook = "" }) =>
    [`${name}, since ${age(since).replace(/ ago$/, "")}`, `${description} ${runbook && `See ${runbook}`}`.trim()]
      .filter((line) => line !== "")
      .join("\n  "),
  );
  return [`${open.length === 0 ? "none" : open.length} of ${of} open`, ...rows].join("\n");
}

/** For example `12 s ago`, or `never`. */
function ageOf(now: string, time: string | undefined): string {
  if (time === undefined) return "never";
  const seconds = Math.max(Math.round((Date.parse(now) - Date.parse(time)) / 1_000), 0);
  const [unit, name] = UNITS.find(([size]) => seconds >= 2 * size) ?? [1, "s"];
  return `${Math.floor(seconds / unit)} ${name} ago`;
}

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
] as const;
