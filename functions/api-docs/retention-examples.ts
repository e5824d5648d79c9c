/** The example of a plan of retention in the OpenAPI document. */
export const retentionPlan = {
  until: "2026-12-06",
  default: "400d",
  archive: "none",
  drops: [
    {
      class: "7d",
      day: "2026-11-21",
      dueOn: "2026-11-29",
      state: "due",
      events: 1_204_880,
      bytes: 1_310_720_000,
      fault: null,
    },
    {
      class: "7d",
      day: "2026-11-22",
      dueOn: "2026-11-30",
      state: "open",
      events: 1_198_004,
      bytes: 1_302_331_392,
      fault: null,
    },
  ],
  keeps: [
    { class: "7d", tables: 21, events: 6_020_114, bytes: 6_549_405_696, nextOn: "2026-12-07" },
    { class: "400d", tables: 62, events: 9_710_002, bytes: 10_905_190_400, nextOn: "2027-11-18" },
  ],
  rollups: { days: 1_095, deletedBefore: "2023-12-07", rows: 812_440, bytes: 190_840_832 },
  holds: { active: 2, tenants: 1 },
};
