import { describeDeadLetterTable } from "../../support/conformance/dead-letter-table.ts";
import { memoryDeadLetterTable } from "../../support/memory-dead-letters.ts";

describeDeadLetterTable("in memory", async () => {
  const table = memoryDeadLetterTable();
  return { ...table, outage: () => table.setDown(true) };
});
