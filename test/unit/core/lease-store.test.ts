import { describeLeaseStore } from "../../support/conformance/lease-store.ts";
import { memoryLeaseStore } from "../../support/memory-lease-store.ts";

describeLeaseStore("in memory", async () => {
  const { store, setDown, setThrottled } = memoryLeaseStore();
  return { store, outage: () => setDown(true), throttled: () => (setThrottled(true), store) };
});
