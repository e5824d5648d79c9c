import { describeDeliveries, type Deliveries } from "../../support/conformance/deliveries.ts";
import { memoryDeliveries } from "../../support/memory-deliveries.ts";

async function open(): Promise<Deliveries> {
  let time = Date.parse("2026-11-22T10:00:00.000Z");
  const memory = memoryDeliveries({ clock: () => new Date(time) });
  return {
    store: memory.store,
    work: memory.work,
    async storeEvents(events) {
      memory.storeEvents(events);
    },
    async hold() {
      const end = memory.holdHorizon();
      return async () => end();
    },
    async pass(seconds) {
      time += seconds * 1_000;
    },
    now: () => new Date(time),
    place: async () => memory.place(),
    async forget(ids) {
      memory.forget(({ event }) => ids.includes(event.id));
    },
  };
}

describeDeliveries("in memory", open);
