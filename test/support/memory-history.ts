import {
  addRefusedParts,
  type HistoryCounts,
  type HistorySample,
  type HistoryTable,
  type StoredRefused,
} from "../../functions/core/history.ts";

/** The history in memory, with the contract of the table. */
export function memoryHistory(): HistoryTable {
  const counts = new Map<string, { sample: HistorySample; before: HistoryCounts; takenAt: number }[]>();
  const refused = new Map<string, StoredRefused>();
  return {
    async writeSample(tenant, sample, before, takenAt) {
      const kept = counts.get(tenant) ?? [];
      if (kept.some((each) => each.takenAt > takenAt)) return;
      const others = kept.filter((each) => each.sample.at !== sample.at);
      const first = kept.find((each) => each.sample.at === sample.at);
      counts.set(tenant, [...others, { sample, before: first?.before ?? before, takenAt }]);
    },
    async addRefused(tenant, parts) {
      const after = addRefusedParts(refused.get(tenant) ?? { minutes: {}, counted: [] }, parts);
      if (after !== undefined) refused.set(tenant, after);
    },
    async read(tenant, since) {
      const all = (counts.get(tenant) ?? []).toSorted((a, b) => a.sample.at - b.sample.at);
      const earlier = all.filter(({ sample }) => sample.at < since).slice(-1);
      const found = [...earlier, ...all.filter(({ sample }) => sample.at >= since)];
      return {
        samples: found.map(({ sample }) => sample),
        before: found[0]?.before,
        refused: Object.entries(refused.get(tenant)?.minutes ?? {})
          .map(([at, count]) => ({ at: Number(at), count }))
          .filter(({ at }) => at >= since),
      };
    },
  };
}
