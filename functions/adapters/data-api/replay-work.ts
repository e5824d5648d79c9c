import { OPEN_DEAD_LETTERS_MAX } from "../../core/dead-letter-limits.ts";
import { LIST_PAGE_MAX_BYTES } from "../../core/list-limits.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import type { ReplayWork, TakenDeadLetter } from "../../core/replay-job.ts";
import { REPLAY_SETTLE_MAX, REPLAY_TAKE_MAX, REPLAY_TAKE_MAX_BYTES, REPLAY_TAKE_MS } from "../../core/replay-limits.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { createJobReader } from "./job-reader.ts";
import { deadLetterCondition } from "./dead-letter-condition.ts";
import { joinPieces } from "./join-pieces.ts";
import { toReplayJob } from "./replay-record.ts";
import { textArray, toTextArray } from "./text-array.ts";

/** The steps of jobs in PostgreSQL; the functions are documented in functions/sql/0008_replays.sql. */
export function createReplayWork(
  database: Pick<SqlDatabase, "execute">,
  {
    takeMost = REPLAY_TAKE_MAX,
    settleMost = REPLAY_SETTLE_MAX,
  }: {
    /** Dead letters of one take. */
    takeMost?: number;
    /** Outcomes that one statement finds. */
    settleMost?: number;
  } = {},
): ReplayWork {
  const { read: readJob, hold } = createJobReader(database, "replay", toReplayJob);

  return {
    hold,

    async take({ id, request }, { holder, most }, deadline) {
      const condition = deadLetterCondition(request.filter);
      const parameters = { id, holder, ...condition, most: String(Math.min(most, takeMost)) };
      FAILPOINT: await failpoint("beforeTake");
      const { rows } = await database.execute(TAKE, parameters, deadline);
      FAILPOINT: await failpoint("afterTake");
      const [taken, isAtEnd] = rows[0] ?? [];
      if (taken === undefined) return { kind: "lost" };
      return taken === null
        ? { kind: "cancelled" }
        : { kind: "taken", taken: Number(taken), isAtEnd: isAtEnd === true };
    },

    async readUnsent(id, after, deadline) {
      const found = new Map<string, TakenDeadLetter>();
      let place = { from: after ?? null, characters: WHOLE };
      for (;;) {
        const { rows } = await database.execute(UNSENT, { id, ...place }, deadline);
        let isWhole = true;
        for (const [deadLetterId, number, tenant, isLast, piece] of rows) {
          const known = found.get(String(deadLetterId));
          found.set(String(deadLetterId), {
            id: String(deadLetterId),
            number: Number(number),
            tenant: typeof tenant === "string" ? tenant : undefined,
            body: (known?.body ?? "") + String(piece),
          });
          isWhole = isLast === true;
          const before = known === undefined ? 0 : Number(place.characters);
          place = { from: String(deadLetterId), characters: String(before + charactersOf(String(piece))) };
        }
        // A body of the largest size is more than one result holds.
        if (isWhole) return [...found.values()];
      }
    },

    async markSent(id, deadLetterIds, deadline) {
      FAILPOINT: await failpoint("beforeMark");
      await database.execute(MARK, { id, ids: toTextArray(deadLetterIds) }, deadline);
      FAILPOINT: await failpoint("afterMark");
    },

    async release(id, holder, deadline) {
      await database.execute("select release_replay(:id, :holder)", { id, holder }, deadline);
    },

    async end(id, { state, reason = null, detail = null, givesBack = false }, deadline) {
      const parameters = { id, state, reason, detail, gives_back: String(givesBack) };
      const job = await readJob(END, parameters, deadline);
      FAILPOINT: await failpoint("afterEnd");
      if (job === undefined) throw new TypeError("end_replay returned no job.");
      return job;
    },

    async countOpen(deadline) {
      const { rows } = await database.execute(COUNT_OPEN, {}, deadline);
      return Number(rows[0]?.[0]);
    },

    async settle(id, deadline) {
      for (;;) {
        const { rows } = await database.execute(SETTLE, { id, most: String(settleMost) }, deadline);
        const [foundNow, unsettled] = rows[0] ?? [];
        const job = joinPieces(rows.map(([, , piece]) => [piece ?? null]));
        if (job === undefined) return undefined;
        if (Number(foundNow) < settleMost) return { job: toReplayJob(job), unsettled: Number(unsettled) };
      }
    },
  };
}

/** As PostgreSQL counts them: a pair of surrogates is one. */
const charactersOf = (text: string): number => text.length - (text.match(PAIRS)?.length ?? 0);
const PAIRS = /[\uD800-\uDBFF][\uDC00-\uDFFF]/g;

/** Behind the end of every body. */
const WHOLE = String(2 ** 30);

const TAKE = `select taken, is_at_end from take_dead_letters(
    :id, :holder, :condition, ${textArray(":condition_texts")}, cast(:most as integer), ${REPLAY_TAKE_MAX_BYTES}, ${REPLAY_TAKE_MS}
  )`;
const UNSENT = `select dead_letter_id, number, tenant, is_last, piece
  from read_unsent(:id, :from, cast(:characters as integer), ${LIST_PAGE_MAX_BYTES})`;
const MARK = `select mark_sent(:id, ${textArray(":ids")})`;
const END = "end_replay(:id, :state, :reason, :detail, cast(:gives_back as boolean))";
/** Documented in functions/sql/0007_dead_letters.sql. */
const COUNT_OPEN = `select count_open_dead_letters(${OPEN_DEAD_LETTERS_MAX})`;
const SETTLE = `select found_now, unsettled, piece from settle_replay(:id, cast(:most as integer))
  left join lateral cut_text(job) on true`;
