import * as fc from "fast-check";
// A parser that is not ours, ported from that of the Prometheus client for Python.
import parse from "parse-prometheus-text-format";
import { describe, expect, it } from "vitest";
import { toMetricsText } from "../../../functions/status/metrics-text.ts";
import type { State } from "../../../functions/status/status.ts";
import { depths, NO_COUNTS, NOW } from "./support.ts";

const installation = { stage: "test", version: "1.2.3", build: "abc" };
const account = {
  ...NO_COUNTS,
  stored: 7,
  open: 2,
  accepted: 12,
  inFlight: 3,
  difference: 3,
  active: 1,
  disabled: 0,
  pending: 4,
};

const state: State = {
  at: NOW,
  tenant: "*",
  ledger: {
    takenAt: new Date(NOW).toISOString(),
    accounts: [
      { tenant: "acme", ...account },
      { tenant: "other", ...account },
    ],
  },
  queues: depths(12),
  consumer: { lag: { lagMs: 1_500, at: NOW }, storedAt: NOW },
};

const valuesOf = (families: ReturnType<typeof parse>) =>
  Object.fromEntries(
    families.flatMap(({ name, metrics }) =>
      metrics.map(({ labels, value }) => [[name, ...Object.values(labels ?? {})].join(" "), Number(value)]),
    ),
  );

describe("the metrics of Prometheus", () => {
  it("the metrics are the sums of all tenants, and have no tenant as a label", () => {
    const text = toMetricsText(state, installation);

    expect(valuesOf(parse(text))).toMatchObject({
      "sluice_info test 1.2.3 abc": 1,
      "sluice_part_up ledger": 1,
      sluice_events_accepted_total: 24,
      sluice_events_stored_total: 14,
      "sluice_dead_letters open": 4,
      sluice_events_in_flight: 6,
      sluice_ledger_difference_events: 6,
      "sluice_subscriptions active": 2,
      sluice_deliveries_pending: 8,
      "sluice_queue_messages events visible": 12,
      "sluice_queue_messages wake_ups visible": 2,
      sluice_consumer_lag_seconds: 1.5,
      sluice_last_store_timestamp_seconds: NOW / 1_000,
    });
    expect(text).not.toContain("acme");
  });

  it("each metric has a help and a type, and a name by Prometheus's rules: units, and _total for counters alone", () => {
    for (const { name, help, type } of parse(toMetricsText(state, installation))) {
      expect(help, name).toMatch(/\.$/);
      expect(name).toMatch(/^sluice_[a-z_]+$/);
      expect(type, name).toBe(name.endsWith("_total") ? "COUNTER" : "GAUGE");
    }
  });

  it("a part that could not be read has no metrics, and is not up", () => {
    const fault = { unavailable: "no answer" };

    const families = parse(toMetricsText({ ...state, ledger: fault, queues: fault, consumer: fault }, installation));

    expect(families.map(({ name }) => name)).toEqual(["sluice_info", "sluice_part_up"]);
    expect(valuesOf(families)).toMatchObject({
      "sluice_part_up ledger": 0,
      "sluice_part_up queues": 0,
      "sluice_part_up consumer": 0,
    });
  });

  it("what is not known yet has no sample", () => {
    const unknown = { ...state, consumer: { lag: undefined, storedAt: undefined } };

    expect(toMetricsText(unknown, installation)).not.toMatch(/consumer_lag|last_store|NaN|undefined/);
  });

  it("labels come back as they were, whatever is in them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (stage) => {
        const [info] = parse(toMetricsText(state, { ...installation, stage }));

        expect(info?.metrics[0]?.labels?.["stage"]).toBe(stage);
      }),
    );
    expect(parse(toMetricsText(state, { ...installation, stage: 'a\n"\\' }))[0]?.metrics[0]?.labels?.["stage"]).toBe(
      'a\n"\\',
    );
  });
});
