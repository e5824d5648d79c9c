import { OPEN_DEAD_LETTERS_MAX } from "../../core/dead-letter-limits.ts";
import type { ErasureJob, ErasureWork } from "../../core/erasure-job.ts";
import { ERASURE_HOLD_ATTEMPTS, ERASURE_MAX_ROWS, ERASURE_STATEMENT_MS } from "../../core/erasure-limits.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { createJobReader } from "./job-reader.ts";
import { erasureConditions } from "./erasure-condition.ts";
import { readErasureHolds } from "./erasure-holds.ts";
import { toErasureJob } from "./erasure-record.ts";
import { exchangeQuotes } from "./exchange-quotes.ts";
import { joinPieces } from "./join-pieces.ts";
import { textArray } from "./text-array.ts";

/** The work on erasures in PostgreSQL, as the owner; the functions are documented in functions/sql/0013_erasure.sql. */
export function createErasureWork(
  database: Pick<SqlDatabase, "execute">,
  { mostRows = ERASURE_MAX_ROWS }: { mostRows?: number } = {},
): ErasureWork {
  const { read: readJob, hold } = createJobReader(database, "erasure", toErasureJob);

  /** Runs a statement that erases. It names the holds that it knows, and is run again where there are others by now. */
  async function erase(
    call: string,
    job: ErasureJob,
    holder: string,
    deadline: number,
  ): ReturnType<ErasureWork["eraseRows"]> {
    for (let attempt = 1; ; attempt += 1) {
      const holds = await readErasureHolds(database, job.tenant, deadline);
      const parameters = { id: job.id, holder, ...erasureConditions(job.request, holds), most: String(mostRows) };
      FAILPOINT: await failpoint("beforeErase");
      const { rows } = await database.execute(erasing(call), parameters, deadline);
      FAILPOINT: await failpoint("afterErase");
      const outcome = toOutcome(rows);
      if (outcome.kind !== "holds_changed") return outcome;
      if (attempt === ERASURE_HOLD_ATTEMPTS) throw new TypeError("An erasure found other holds each time.");
    }
  }

  return {
    hold,

    async begin(job, holder, deadline) {
      const { condition, texts } = erasureConditions(job.request, []);
      FAILPOINT: await failpoint("beforeErase");
      const begun = await readJob(BEGIN, { id: job.id, holder, condition, texts }, deadline);
      FAILPOINT: await failpoint("afterErase");
      return begun;
    },

    raiseBarrier: ({ id }, holder, deadline) => readJob("raise_barrier(:id, :holder)", { id, holder }, deadline),

    eraseRows: (job, holder, deadline) => erase(ROWS, job, holder, deadline),
    eraseDeadLetters: (job, holder, deadline) => erase(DEAD_LETTERS, job, holder, deadline),

    async eraseDeliveries({ id }, holder, deadline) {
      FAILPOINT: await failpoint("beforeErase");
      const parameters = { id, holder, most: String(mostRows) };
      const { rows } = await database.execute(erasing(DELIVERIES), parameters, deadline);
      FAILPOINT: await failpoint("afterErase");
      const outcome = toOutcome(rows);
      if (outcome.kind === "holds_changed") throw new TypeError("erase_deliveries returned another outcome.");
      return outcome;
    },

    async countOpenDeadLetters(deadline) {
      const { rows } = await database.execute(`select count_open_dead_letters(${OPEN_DEAD_LETTERS_MAX})`, {}, deadline);
      return Number(rows[0]?.[0]);
    },

    holds: (tenant, deadline) => readErasureHolds(database, tenant, deadline),

    async match({ id }, holder, candidates, holds, deadline) {
      const parameters = {
        id,
        holder,
        candidates: JSON.stringify(
          candidates.map(({ id: event, source, isWanted, heldBy }) => ({ id: event, source, isWanted, heldBy })),
        ),
        holdIds: JSON.stringify(holds.map((each) => each.id)),
      };
      const { rows } = await database.execute(MATCH, parameters, deadline);
      const [kind, detail, places] = rows[0] ?? [];
      switch (kind) {
        case "matched":
          return { kind, places: JSON.parse(String(places)) as number[] };
        case "held":
          return { kind, holdId: String(detail) };
        case "holds_changed":
        case "superseded":
          return { kind };
        default:
          throw new TypeError("match_erased returned another outcome.");
      }
    },

    async noteArchived({ id }, holder, lines, deadline) {
      const parameters = { id, holder, lines: exchangeQuotes(lines.join("\n")) };
      await database.execute("select note_archived_erased(:id, :holder, :lines)", parameters, deadline);
    },

    async noteObjects({ id }, holder, { counts, cursor = null }, deadline) {
      FAILPOINT: await failpoint("beforeErase");
      const parameters = { id, holder, counts: JSON.stringify(counts), cursor };
      const job = await readJob(OBJECTS, parameters, deadline);
      FAILPOINT: await failpoint("afterErase");
      return job;
    },

    async eraseRollups({ id }, holder, deadline) {
      FAILPOINT: await failpoint("beforeErase");
      const job = await readJob(ROLLUPS, { id, holder, most: String(mostRows) }, deadline);
      FAILPOINT: await failpoint("afterErase");
      return job;
    },

    async release(id, holder, deadline) {
      await database.execute("select release_erasure(:id, :holder)", { id, holder }, deadline);
    },

    async end({ id }, holder, end, deadline) {
      const { reason, detail } = end.state === "failed" ? end : { reason: null, detail: null };
      FAILPOINT: await failpoint("beforeErase");
      const job = await readJob(END, { id, holder, state: end.state, reason, detail }, deadline);
      FAILPOINT: await failpoint("afterErase");
      return job;
    },
  };
}

/** @throws TypeError for an answer of another form: taken for success, the erasure would go on without having erased */
function toOutcome(rows: SqlValue[][]) {
  const [kind, detail] = rows[0] ?? [];
  switch (kind) {
    case "erased":
      return { kind, job: toErasureJob(joinPieces(rows.map(([, , piece]) => [piece ?? ""])) ?? "") } as const;
    case "held":
      return { kind, holdId: String(detail) } as const;
    case "holds_changed":
      return { kind } as const;
    case "superseded":
      return { kind } as const;
    default:
      throw new TypeError("A statement of an erasure returned another outcome.");
  }
}

const erasing = (call: string) =>
  `select erased.outcome, erased.detail, text.piece from ${call} as erased left join lateral cut_text(erased.job) as text on true`;

const BEGIN = `begin_erasure(:id, :holder, :condition, ${textArray(":texts")})`;
const CONDITIONS = `:condition, :held, ${textArray(":texts")}, ${textArray(":holdIds")}, cast(:most as integer)`;
const ROWS = `erase_rows(:id, :holder, ${CONDITIONS}, ${ERASURE_STATEMENT_MS})`;
const DEAD_LETTERS = `erase_dead_letters(:id, :holder, ${CONDITIONS})`;
const DELIVERIES = "erase_deliveries(:id, :holder, cast(:most as integer))";
const ROLLUPS = "erase_rollups(:id, :holder, cast(:most as integer))";
const MATCH = `select outcome, detail, cast(places as text)
  from match_erased(:id, :holder, cast(:candidates as jsonb), ${textArray(":holdIds")})`;
const OBJECTS = "note_erased_objects(:id, :holder, cast(:counts as jsonb), :cursor)";
const END = "end_erasure(:id, :holder, :state, :reason, :detail)";
