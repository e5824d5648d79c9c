import { assumptions } from "./assumptions.ts";
import { type BillLine, type Component, total } from "./bill.ts";
import { part } from "./bill-part.ts";
import type { CostReport, Design } from "./cost-per-million.ts";
import { atMemory, type Invocation, MEMORY_SIZES } from "./memory.ts";
import { type Price, prices } from "./prices.ts";
import { snapshotsPerMonth } from "./snapshots.ts";
import { PIPELINE_METRICS, WATCHING, watchingPerMonth } from "./watching.ts";

/** Renders the figures of one shape as Markdown: a table by component, then the counted amounts. */
export function renderReport(report: CostReport): string {
  const { shape, sluice, naive, alternatives, idlePerMonth } = report;
  const designs = [sluice, naive, ...alternatives];
  const components = [...new Set(designs.flatMap(({ lines }) => lines.map(({ component }) => component)))];
  const rows = [
    ...components.map((component) => [component, ...designs.map((each) => cell(each, component))]),
    ["**Total**", ...designs.map((each) => `**${dollars(each.total)}${each.lines.every(isConfirmed) ? "" : " ?"}**`)],
    ["of Sluice", ...designs.map((each) => `${(each.total / sluice.total).toPrecision(2)} ×`)],
  ];
  return [
    `Dollars per million events of ${shape.eventBytes} bytes, ${shape.batch} a request, ${shape.rate} a second. A \`?\` marks a price that could not be confirmed.`,
    table(["", ...designs.map(({ name }) => name)], rows),
    `Idle: ${dollars(idlePerMonth)} a month for the receives of Lambda's pollers, and the database's storage.`,
    ...[sluice, naive].map(counted),
  ].join("\n\n");
}

/** Renders the bill of an export as Markdown. */
function renderExport({ shape, exported }: Pick<CostReport, "shape" | "exported">): string {
  const sum = dollars(total(exported)) + (exported.every(isConfirmed) ? "" : " ?");
  return `An export of a million events of ${shape.eventBytes} bytes costs ${sum}, beside the database that is running:\n\n${amounts(exported)}`;
}

/** Renders docs/cost.md. */
export function renderPage(reports: readonly CostReport[], { date, machine }: { date: string; machine: string }) {
  return [
    "# What a million events cost",
    `Made by \`npm run cost -- --write\` on ${date}: ${machine}. Sluice and the naive pattern (bench/naive: one event, one message, one insert) ran on this machine behind a proxy that counts the calls AWS would bill. Another machine gives other milliseconds; the counts stay.`,
    `A million events of ${reports[0]?.shape.eventBytes} bytes cost ${inWords(reports.map(inShort))}. Sending in batches saves more than any other choice.`,
    ...reports.flatMap((report) => [
      `## ${report.shape.batch} ${report.shape.batch === 1 ? "event" : "events"} a request`,
      renderReport(report),
    ]),
    ...reports.slice(0, 1).flatMap((report) => ["## Exports", renderExport(report)]),
    "## Memory",
    renderMemory(
      reports.map(({ shape, sluice: { invocations } }) => ({ batch: shape.batch, invocations })),
      machine,
    ),
    "## Watching",
    renderWatching(),
    "## Assumptions",
    assumptions.map((each) => `- ${each}`).join("\n"),
    "## Prices",
    table(
      ["", "Dollars", "as of", "confirmed", "sources"],
      Object.values<Price>(prices).map(({ dollars: price, per, unit, asOf, confirmed, sources }) => [
        unit,
        `${price}${per === 1 ? "" : ` per ${per === 1e6 ? "million" : per}`}`,
        asOf,
        confirmed ? "yes" : "**no**",
        sources.join(", "),
      ]),
    ),
    "",
  ].join("\n\n");
}

/** Renders what the functions of Sluice take and cost at each size of memory, as Markdown; the size that they have is bold. */
export function renderMemory(runs: readonly { batch: number; invocations: Invocation[] }[], machine: string): string {
  const rows = runs.flatMap(({ batch, invocations }) =>
    invocations.map((each) => [
      `${each.name}, ${batch} a request`,
      each.processorMs.toFixed(1),
      each.waitingMs.toFixed(1),
      each.peakMegabytes?.toFixed(0) ?? "–",
      ...MEMORY_SIZES.map((size) => {
        const at = atMemory(each, size);
        if (at === undefined) return "–";
        const text = `${at.milliseconds.toFixed(1)} ms, ${dollars(at.dollars)}`;
        return size === each.memoryMegabytes ? `**${text}**` : text;
      }),
    ]),
  );
  const sizes = MEMORY_SIZES.map((size) => `${size.toLocaleString("en-US")} MB`);
  return [
    MEMORY_FROM,
    `By \`npm run cost -- --memory --write\`: ${machine}. The billed time of a mean invocation and dollars per million invocations, by the memory of the function; \`–\` where its largest process does not fit. Lambda gives a function its share of a processor by its memory, so computing costs the same at each size and waiting less at a small one.`,
    table(["", "ms computing", "ms waiting", "MB at most", ...sizes], rows),
    "All functions have 512 MB. Less saves a part of the waiting, and takes longer for every request and start in proportion; more would pay for the waiting. Other functions are called rarely beside these two.",
    MEMORY_TO,
  ].join("\n\n");
}

/** The page with another table of memory. */
export function withMemory(page: string, memory: string): string {
  const [from, to] = [page.indexOf(MEMORY_FROM), page.indexOf(MEMORY_TO)];
  if (from === -1 || to < from)
    throw new Error(`The page has no table of memory between "${MEMORY_FROM}" and "${MEMORY_TO}".`);
  return page.slice(0, from) + memory + page.slice(to + MEMORY_TO.length);
}

const MEMORY_FROM = "<!-- memory -->";
const MEMORY_TO = "<!-- end of memory -->";

/** Renders what watches a stage by the month as Markdown. */
function renderWatching(): string {
  const stages = Object.entries(WATCHING).map(([stage, watching]) => ({ stage, parts: watchingPerMonth(watching) }));
  const names = stages[0]?.parts.map(({ what }) => what) ?? [];
  const rows = stages.map(({ stage, parts }) => [
    stage,
    ...parts.map(({ amount }) => String(amount)),
    dollars(parts.reduce((sum, each) => sum + each.dollars, 0)) +
      (parts.every(({ amount, price }) => amount === 0 || prices[price].confirmed) ? "" : " ?"),
  ]);
  const metric = part("metrics", PIPELINE_METRICS, "metricMonth");
  return [
    "[Alarms, objectives and the dashboard](watching.md) cost by the month, whether events come or not:",
    table(["", ...names, "a month"], rows),
    `While events come, ingest and consume report ${PIPELINE_METRICS} metrics of our own: ${dollars(metric.dollars)} for a month in which there are events in every hour, and nothing for hours without any. Others are reported when there is something to report. Tenants, types and keys are never dimensions: with 1,000 tenants these metrics alone would cost ${dollars(1_000 * metric.dollars)}.`,
    renderSnapshots(),
  ].join("\n\n");
}

/** Renders what the ledger and its history cost by the month as Markdown. */
function renderSnapshots(): string {
  const bills = [1, 100, 1_000].map((tenants) => ({ tenants, parts: snapshotsPerMonth(tenants) }));
  const rows = bills.map(({ tenants, parts }) => [
    tenants.toLocaleString("en-US"),
    ...parts.map(({ amount }) => quantity(amount)),
    dollars(parts.reduce((sum, each) => sum + each.dollars, 0)) +
      (parts.every(({ price }) => prices[price].confirmed) ? "" : " ?"),
  ]);
  return [
    "The [ledger](status.md#the-ledger) and its [history](status.md#history) are kept by a snapshot in each minute in which events are stored, and cost nothing in the others. A month in which there are new events of so many tenants in every minute:",
    table(["tenants", ...(bills[0]?.parts.map(({ what }) => what) ?? []), "a month"], rows),
  ].join("\n\n");
}

function inShort({ shape, sluice, naive }: CostReport): string {
  const ratio = (naive.total / sluice.total).toPrecision(2);
  return `${dollars(sluice.total)} when clients send ${shape.batch} at a time (the naive pattern: ${dollars(naive.total)}, ${ratio} ×)`;
}

function inWords(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

function cell({ lines }: Design, component: Component): string {
  const found = lines.find((each) => each.component === component);
  return found === undefined ? "–" : `${dollars(found.dollars)}${found.confirmed ? "" : " ?"}`;
}

const isConfirmed = ({ confirmed }: BillLine): boolean => confirmed;

function counted({ name, lines, countedAt }: Design): string {
  return `The work of ${name === "naive" ? "the naive pattern" : name} for a million events, from a run at ${countedAt} events a second:\n\n${amounts(lines)}`;
}

function amounts(lines: readonly BillLine[]): string {
  const rows = lines.flatMap(({ component, parts }) =>
    parts.map(({ what, amount, price, dollars: cost }) => [
      component,
      what,
      quantity(amount),
      dollars(cost) + (prices[price].confirmed ? "" : " ?"),
    ]),
  );
  return table(["", "what", "how many", "dollars"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 0.1 ? 4 : amount < 1 ? 3 : 2)}`;
}

function quantity(amount: number): string {
  return amount < 100 ? amount.toPrecision(3) : Math.round(amount).toLocaleString("en-US");
}
