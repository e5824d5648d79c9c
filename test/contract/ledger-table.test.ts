import { createLedgerTable } from "../../functions/adapters/dynamodb/ledger-table.ts";
import { createProducerNotes } from "../../functions/adapters/dynamodb/producer-notes.ts";
import { describeLedgerTable } from "../support/conformance/ledger-table.ts";
import { openStatusTable } from "../support/status-table.ts";

describeLedgerTable("DynamoDB", async () => {
  const table = await openStatusTable();
  return { ...createLedgerTable(table), ...createProducerNotes(table) };
});
