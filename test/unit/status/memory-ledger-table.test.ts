import { describeLedgerTable } from "../../support/conformance/ledger-table.ts";
import { memoryLedgerTable } from "../../support/memory-ledger-table.ts";

describeLedgerTable("a table in memory", async () => memoryLedgerTable());
