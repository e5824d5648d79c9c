import type { SqlDatabase } from "../../core/ports.ts";
import type { RestoreWork } from "../../core/restore-job.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { createJobReader } from "./job-reader.ts";
import { exchangeQuotes } from "./exchange-quotes.ts";
import { toRestoreJob } from "./restore-record.ts";

/** The work on restores in PostgreSQL, as the owner; the functions are documented in functions/sql/0012_archive.sql. */
export function createRestoreWork(database: Pick<SqlDatabase, "execute">): RestoreWork {
  const { read: readJob, hold } = createJobReader(database, "restore", toRestoreJob);

  return {
    hold,

    async ensureDay(retention, day, deadline) {
      const days = JSON.stringify([{ class: retention, day }]);
      await database.execute("select ensure_waiting_days(cast(:days as jsonb))", { days }, deadline);
    },

    async store(id, holder, { lines, read, next, refused }, deadline) {
      FAILPOINT: await failpoint("beforeStore");
      const parameters = {
        id,
        holder,
        lines: exchangeQuotes(lines.join("\n")),
        manifest: String(next.manifestAt),
        part: String(next.partAt),
        line: String(next.lineAt),
        read: String(read),
        refused: refused === undefined ? "0" : "1",
        fault: refused ?? null,
      };
      const job = await readJob(STORE, parameters, deadline);
      FAILPOINT: await failpoint("afterStore");
      return job;
    },

    async release(id, holder, deadline) {
      await database.execute("select release_restore(:id, :holder)", { id, holder }, deadline);
    },

    end: (id, holder, { state, reason = null, detail = null }, deadline) =>
      readJob("end_restore(:id, :holder, :state, :reason, :detail)", { id, holder, state, reason, detail }, deadline),
  };
}

const STORE = `restore_events(
    :id, :holder, :lines, cast(:manifest as integer), cast(:part as integer), cast(:line as integer),
    cast(:read as bigint), cast(:refused as bigint), :fault
  )`;
