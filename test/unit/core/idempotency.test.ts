import { memoryJobStarts } from "../../support/memory-job-starts.ts";
import { jobStartsConformance } from "../../support/conformance/job-starts.ts";

jobStartsConformance(async () => {
  let time = Date.parse("2026-11-29T10:00:00.000Z");
  return {
    starts: memoryJobStarts({ clock: () => new Date(time) }),
    async pass(hours) {
      time += hours * 3_600_000;
    },
  };
});
