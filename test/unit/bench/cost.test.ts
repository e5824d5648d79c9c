import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { eventBridgeBill, firehoseBill } from "../../../bench/cost/alternatives.ts";
import { assumptions, OTHER_LOG_BYTES } from "../../../bench/cost/assumptions.ts";
import { bill, type BillLine, type Component, type Measured, total } from "../../../bench/cost/bill.ts";
import { type CostReport, type Design, idlePerMonth } from "../../../bench/cost/cost-per-million.ts";
import { exportBill } from "../../../bench/cost/export-bill.ts";
import { atMemory, meanInvocations } from "../../../bench/cost/memory.ts";
import { type Price, prices } from "../../../bench/cost/prices.ts";
import { renderMemory, renderReport, withMemory } from "../../../bench/cost/render.ts";
import { PIPELINE_METRICS, WATCHING, watchingPerMonth } from "../../../bench/cost/watching.ts";
import { ACCESS_LOG } from "../../../lib/access-log.ts";

/** A thousand events in ten requests: every amount is a thousandth of a million's. */
const measured: Measured = {
  events: 1_000,
  requests: 10,
  responseBytes: 2 ** 20,
  walBytes: 1_638_400,
  walWrites: 100,
  databaseProcessorSeconds: 0.05,
  functionProcessorSeconds: { ingest: 0.1, consume: undefined },
  functionPeakMegabytes: { ingest: 150, consume: undefined },
  operations: {
    queue: {
      SendMessageBatch: { calls: 10, chunks: 20, groupedChunks: 20, messages: 10 },
      ReceiveMessage: { calls: 5, chunks: 20, groupedChunks: 0, messages: 10 },
      "ReceiveMessage, empty": { calls: 7, chunks: 7, groupedChunks: 0, messages: 0 },
      DeleteMessageBatch: { calls: 1, chunks: 1, groupedChunks: 0, messages: 10 },
    },
    functions: {
      ingest: { invocations: 10, milliseconds: 300, memoryMegabytes: 512 },
      consume: { invocations: 2, milliseconds: 100, memoryMegabytes: 512 },
    },
    dataApi: { calls: 1, units: 40 },
    dynamodb: { reads: 4, writes: 2 },
    logBytes: 10_000,
  },
};

const dollarsOf = (lines: BillLine[], component: Component) =>
  lines.find((each) => each.component === component)?.dollars ?? Number.NaN;

describe("the memory of a function", () => {
  const [ingest, ...others] = meanInvocations(measured);

  it("the mean invocation computes and waits as the run did, and is left out where its computing is unknown", () => {
    expect(ingest).toEqual({
      name: "ingest",
      processorMs: 10,
      waitingMs: 20,
      peakMegabytes: 150,
      memoryMegabytes: 512,
    });
    expect(others).toEqual([]);
  });

  it.each([
    [256, 20 + 10 * (1_769 / 256)],
    [1_769, 30],
    [3_538, 30],
  ])(
    "an invocation at %i MB takes its waiting, and its computing by the share of a processor",
    (megabytes, expected) => {
      const at = ingest && atMemory(ingest, megabytes);

      expect(at?.milliseconds).toBeCloseTo(expected, 10);
      expect(at?.dollars).toBeCloseTo(0.2 + expected * 1_000 * (megabytes / 1_024) * 0.0000133334, 10);
    },
  );

  it("an invocation has no price at a size that its process does not fit into", () => {
    expect(ingest && atMemory(ingest, 149)).toBeUndefined();
    expect(ingest && atMemory(ingest, 150)).toBeDefined();
  });
});

describe("the bill of a run", () => {
  const lines = bill(measured, { rate: 1_000 });

  it("the bill scales the counted amounts to a million events", () => {
    // 10,000 requests at $3.50, 48,000 chunks at $0.40 and 20,000 with a group at $0.10, 40,000 units at $0.35.
    expect(dollarsOf(lines, "API Gateway")).toBeCloseTo(0.035, 10);
    expect(dollarsOf(lines, "SQS")).toBeCloseTo(0.0192 + 0.002, 10);
    expect(dollarsOf(lines, "Data API")).toBeCloseTo(0.014 + (0.35 * 1_000) / 60 / 1e6, 10);
    // 4,000 reads at $0.125, 2,000 writes at $0.625; and 1,000 s with four writes a minute.
    expect(dollarsOf(lines, "DynamoDB")).toBeCloseTo(0.0005 + 0.00125 + (0.625 * 4 * 1_000) / 60 / 1e6, 10);
    // 1 GiB of answers.
    expect(dollarsOf(lines, "Data out")).toBeCloseTo((0.09 * 1_000) / 1_024, 10);
    expect(total(lines)).toBeCloseTo(
      lines.reduce((sum, { dollars }) => sum + dollars, 0),
      10,
    );
  });

  it("the bill scales processor time by Lambda's share of a processor, and keeps waiting time", () => {
    // 0.2 s of waiting and 0.1 s of computing, the latter 1769 / 512 times; times half a GB, times a thousand.
    const gigabyteSeconds = (0.2 + (0.1 * 1769) / 512) * 0.5 * 1_000;
    expect(dollarsOf(lines, "Ingest Lambda")).toBeCloseTo(0.002 + gigabyteSeconds * 0.0000133334, 8);
  });

  it("the bill counts a function's whole time as computing if its processor time is unknown", () => {
    const gigabyteSeconds = ((0.1 * 1769) / 512) * 0.5 * 1_000;
    expect(dollarsOf(lines, "Consumer Lambda")).toBeCloseTo(0.0004 + gigabyteSeconds * 0.0000133334, 8);
  });

  it("the bill charges half an ACU for the duration of a million events, or their use if that is more", () => {
    // 1,000 s of 0.5 ACU; the events themselves use 50 s / 0.25.
    expect(dollarsOf(lines, "Aurora ACU")).toBeCloseTo((500 / 3600) * 0.12, 10);
    expect(dollarsOf(bill(measured, { rate: 10_000 }), "Aurora ACU")).toBeCloseTo((200 / 3600) * 0.12, 10);
  });

  it("the bill charges a write for 4 KiB of WAL, and at least one per flush", () => {
    expect(dollarsOf(lines, "Aurora I/O")).toBeCloseTo((400_000 * 0.2) / 1e6, 10);
    const oftener = bill({ ...measured, walWrites: 900 }, { rate: 1_000 });
    expect(dollarsOf(oftener, "Aurora I/O")).toBeCloseTo((900_000 * 0.2) / 1e6, 10);
  });

  it("the bill adds the API's access log to our logs, and Lambda's own lines to those of the naive pattern", () => {
    const dollars = (bytes: number) => ((bytes * 1_000) / 2 ** 30) * 0.5;
    const naive = bill(measured, { rate: 1_000, kind: "naive" });

    expect(dollarsOf(lines, "Logs")).toBeCloseTo(dollars(10_000 + 10 * 99), 10);
    expect(dollarsOf(naive, "Logs")).toBeCloseTo(dollars(10_000 + 12 * 450), 10);
  });

  it("the bill knows how long a line of the access log is", () => {
    const values = {
      requestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
      ip: "203.0.113.107",
      method: "POST",
      path: "/events",
      status: "202",
      latencyMs: "112",
      error: "-",
    } satisfies Record<keyof typeof ACCESS_LOG, string>;

    expect(Object.keys(values)).toEqual(Object.keys(ACCESS_LOG));
    expect(Object.values(values).join(" ").length + 26).toBe(OTHER_LOG_BYTES.ours.request);
  });

  it("the bill traces the first request of a second and a hundredth of the others", () => {
    // Ten requests a second for 1,000 s: 1.09 traces a second.
    expect(dollarsOf(lines, "Traces")).toBeCloseTo(1_090 * 0.000005, 10);
    // One request in ten seconds: each is traced.
    expect(dollarsOf(bill(measured, { rate: 10 }), "Traces")).toBeCloseTo(10_000 * 0.000005, 10);
  });

  it("the bill marks the components with an unconfirmed price", () => {
    const unsure = lines.filter(({ confirmed }) => !confirmed).map(({ component }) => component);
    expect(unsure).toStrictEqual(["SQS", "Data API", "DynamoDB"]);
  });
});

describe("the bill of the alternatives", () => {
  it("the EventBridge bill counts an event for each 64 KB", () => {
    expect(total(eventBridgeBill({ eventBytes: 65_536 }))).toBeCloseTo(1, 10);
    expect(total(eventBridgeBill({ eventBytes: 65_537 }))).toBeCloseTo(2, 10);
  });

  it("the Firehose bill rounds each record up to 5 KB", () => {
    expect(total(firehoseBill({ eventBytes: 1_024 }))).toBeCloseTo(((5_120 * 1e6) / 2 ** 30) * 0.029, 10);
    expect(total(firehoseBill({ eventBytes: 5_121 }))).toBeCloseTo(((10_240 * 1e6) / 2 ** 30) * 0.029, 10);
  });

  it("the Firehose bill packs at most 1,000 KiB into a record", () => {
    // 100 events of 1 KiB are 102,400 bytes: exactly twenty times 5 KB.
    expect(total(firehoseBill({ eventBytes: 1_024, eventsPerRecord: 100 }))).toBeCloseTo(
      ((1e9 * 1.024) / 2 ** 30) * 0.029,
      10,
    );
    const two = firehoseBill({ eventBytes: 512_000, eventsPerRecord: 2 });
    expect(total(firehoseBill({ eventBytes: 512_000, eventsPerRecord: 100 }))).toBeCloseTo(total(two), 10);
  });

  it("an idle queue costs the receives of its pollers", () => {
    // Five pollers, three receives a minute each, 730 hours.
    expect(idlePerMonth()).toBeCloseTo((5 * 3 * 60 * 730 * 0.4) / 1e6, 10);
  });
});

describe("the bill of an export", () => {
  const lines = exportBill({ eventBytes: 1_024 });
  const amountOf = (component: Component, what: string) =>
    lines.find((each) => each.component === component)?.parts.find((each) => each.what === what)?.amount ?? Number.NaN;

  it("an export of a gigabyte costs about a cent in calls of the database", () => {
    expect(dollarsOf(lines, "Data API")).toBeGreaterThan(0.01);
    expect(dollarsOf(lines, "Data API")).toBeLessThan(0.015);
  });

  it("an export is uploaded in pieces of 8 MiB and kept for seven days", () => {
    const gigabytes = amountOf("Data out", "GB");
    expect(gigabytes).toBeGreaterThan(0.1);
    expect(gigabytes).toBeLessThan(1_024 / 2 ** 10);
    expect(amountOf("S3", "GB-months")).toBeCloseTo((gigabytes * 7 * 24) / 730, 5);
    expect(amountOf("S3", "calls of uploads")).toBeGreaterThan(gigabytes * 128);
    expect(amountOf("S3", "calls of uploads")).toBeLessThan(gigabytes * 128 + 30);
  });

  it("an export of events of twice the size costs twice as much to store", () => {
    const twice = exportBill({ eventBytes: 2_048 });
    expect(dollarsOf(twice, "S3") / dollarsOf(lines, "S3")).toBeGreaterThan(1.9);
  });
});

describe("the bill of what watches a stage", () => {
  it("the bill of watching counts a tenth of a dollar for each metric that an alarm watches, and half of one for an alarm of alarms", () => {
    const sum = (parts: { dollars: number }[]) => parts.reduce((total, { dollars }) => total + dollars, 0);

    expect(sum(watchingPerMonth({ alarmMetrics: 12, compositeAlarms: 0, dashboards: 3 }))).toBeCloseTo(1.2, 10);
    expect(sum(watchingPerMonth({ alarmMetrics: 12, compositeAlarms: 2, dashboards: 4 }))).toBeCloseTo(5.2, 10);
  });
});

describe("the page docs/cost.md", () => {
  const page = readFileSync("docs/cost.md", "utf8");

  it.each(Object.entries<Price>(prices))("docs/cost.md has the price %s of the list", (_, { unit, dollars, asOf }) => {
    const row = page.split("\n").find((each) => each.startsWith(`| ${unit} |`));
    expect(row, "run npm run cost -- --batch 100 1 --write").toContain(`| ${dollars}`);
    expect(row).toContain(`| ${asOf} |`);
  });

  it("docs/cost.md has the price of watching each stage", () => {
    for (const [stage, watching] of Object.entries(WATCHING)) {
      const sum = watchingPerMonth(watching).reduce((total, { dollars }) => total + dollars, 0);
      expect(page).toMatch(new RegExp(`^\\| ${stage} \\| ${watching.alarmMetrics} \\|.*\\$${sum.toFixed(2)}`, "m"));
    }
    expect(page).toContain(`${PIPELINE_METRICS} metrics`);
  });

  it("docs/cost.md lists every assumption", () => {
    for (const each of assumptions) expect(page).toContain(`- ${each}\n`);
  });
});

describe("a report", () => {
  const lines = bill(measured, { rate: 1_000 });
  const sluice: Design = {
    name: "Sluice",
    lines,
    total: total(lines),
    countedAt: 500,
    invocations: meanInvocations(measured),
  };
  const bus = eventBridgeBill({ eventBytes: 1_024 });
  const report: CostReport = {
    shape: { eventBytes: 1_024, batch: 100, rate: 1_000, seconds: 10 },
    sluice,
    naive: { ...sluice, name: "naive", total: 10 * sluice.total },
    alternatives: [{ name: "EventBridge", lines: bus, total: total(bus), countedAt: undefined, invocations: [] }],
    exported: exportBill({ eventBytes: 1_024 }),
    idlePerMonth: 0.2628,
  };

  it("the report marks unconfirmed prices, also in the total", () => {
    const rows = renderReport(report).split("\n");
    expect(rows.find((row) => row.startsWith("| API Gateway |"))).toBe("| API Gateway | $0.0350 | $0.0350 | – |");
    expect(rows.find((row) => row.startsWith("| Data API |"))).toBe("| Data API | $0.0140 ? | $0.0140 ? | – |");
    expect(rows.find((row) => row.startsWith("| **Total** |"))).toMatch(/\$[\d.]+ \?\*\* \| .* \*\*\$1\.00\*\* \|$/);
    expect(rows.find((row) => row.startsWith("| of Sluice |"))).toContain("| 1.0 × | 10 × |");
  });

  it("the table of memory has a row for each function and shape, and marks the size that the stack gives", () => {
    const table = renderMemory([{ batch: 100, invocations: sluice.invocations }], "a machine");
    const rows = table.split("\n");

    expect(withMemory(`before\n${renderMemory([], "another")}\nbehind`, table)).toBe(`before\n${table}\nbehind`);
    expect(() => withMemory("before", table)).toThrow("The page has no table of memory");
    expect(rows.find((row) => row.startsWith("| ingest,"))).toBe(
      "| ingest, 100 a request | 10.0 | 20.0 | 150 | – | 89.1 ms, $0.497 | **54.6 ms, $0.564** | 37.3 ms, $0.697 | 30.0 ms, $0.891 |",
    );
  });
});

describe("the price list", () => {
  it.each(Object.entries<Price>(prices))(
    "the price list names sources for %s, and two of them or AWS for a confirmed price",
    (_, price) => {
      expect(price.sources.every((source) => source.startsWith("https://"))).toBe(true);
      const fromAws = price.sources.some((source) => /^https:\/\/(docs\.)?aws\.amazon\.com\//.test(source));
      expect(price.confirmed && !fromAws ? price.sources.length : 2).toBeGreaterThanOrEqual(2);
      expect(price.asOf).toMatch(/^20\d\d(-\d\d)?$/);
    },
  );
});
