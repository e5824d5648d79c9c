import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { FilterChips } from "../../parts/filter-chips.tsx";
import { plural } from "../../parts/format.ts";
import { PageFoot } from "../../parts/page-foot.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Empty } from "../../parts/states.tsx";
import { Table } from "../../parts/table.tsx";
import { Text } from "../../parts/text.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useOpened } from "../../parts/use-opened.ts";
import { link, route, setParams } from "../../route.ts";
import { can, tenant } from "../../session.ts";
import type { DeadLetterRow } from "../../types.ts";
import { JobDialog } from "./job-dialog.tsx";
import { columnsOf } from "./list-columns.tsx";
import { type Chosen, toChosen, toQuery } from "./selection.ts";
import { isOpenState, StateTabs } from "./state-tabs.tsx";

const PAGE = "200";

/** A job takes at most so many dead letters by their ids. */
const IDS_MAX = 1_000;

type Doing = { action: "replay" | "discard"; chosen: Chosen; what: string };

/** Dead letters of a cause or filter; all of them, or those that are chosen, can be replayed or discarded. */
export function List() {
  useOpened();
  const { params } = route.value;
  const query = toQuery(params);
  const pages = usePages<DeadLetterRow>(`${tenant.value} ${query}`, async (cursor, signal) => {
    const asked = new URLSearchParams([
      ...query,
      ["limit", PAGE],
      ...(cursor === undefined ? [] : [["cursor", cursor]]),
    ]);
    const { body } = await call<{ deadLetters: DeadLetterRow[]; next: string | null }>("GET", "dead-letters", {
      query: asked,
      signal,
    });
    return { rows: body.deadLetters, next: body.next };
  });
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [doing, setDoing] = useState<Doing>();
  const chosen = pages.rows.filter(({ id }) => marked.has(id)).map(({ id }) => id);
  // The buttons stay while the list is loaded again, so that the focus has a place to come back to.
  const mayAct = can("dead-letters:replay") && isOpenState(params) && (pages.rows.length > 0 || !pages.isReady);
  const target = (): Omit<Doing, "action"> =>
    chosen.length > 0
      ? { chosen: { ids: chosen }, what: plural(chosen.length, "chosen dead letter") }
      : { chosen: toChosen(params), what: "every open dead letter of this list" };
  const mark = (id: string) => {
    const next = new Set(marked);
    if (!next.delete(id) && next.size < IDS_MAX) next.add(id);
    setMarked(next);
  };
  const markAll = (isAll: boolean) => setMarked(new Set(isAll ? pages.rows.slice(0, IDS_MAX).map(({ id }) => id) : []));
  const isNarrowed = [...query.keys()].some((name) => name !== "state");
  return (
    <>
      <header class="head">
        <h1>
          <a href={link("dead-letters", backToGroups(params))}>Dead letters</a> <span class="quiet">/ list</span>
        </h1>
        {mayAct && (
          <div class="buttons">
            <button type="button" class="primary" onClick={() => setDoing({ action: "replay", ...target() })}>
              {chosen.length > 0 ? `Replay ${chosen.length} chosen…` : "Replay all…"}
            </button>
            <button
              type="button"
              disabled={chosen.length === 0 && !isNarrowed}
              onClick={() => setDoing({ action: "discard", ...target() })}
            >
              {chosen.length > 0 ? `Discard ${chosen.length} chosen…` : "Discard all…"}
            </button>
          </div>
        )}
      </header>
      <Cause params={params} />
      <div class="toolbar">
        <StateTabs />
        <FilterChips />
      </div>
      <Paged
        pages={pages}
        what="dead letters"
        lines={8}
        empty={
          <Empty title="No dead letter matches">
            <p>They may have been replayed or discarded meanwhile: look at another state.</p>
          </Empty>
        }
      >
        <Table
          label="Dead letters"
          columns={columnsOf(
            mayAct ? { marked, mark, markAll, isAll: chosen.length === pages.rows.length } : undefined,
          )}
          rows={pages.rows}
          rowKey={({ id }) => id}
          href={({ id }) => link("dead-letters", params, [id])}
          foot={<PageFoot pages={pages} one="dead letter" />}
        />
      </Paged>
      {doing !== undefined && (
        <JobDialog
          {...doing}
          onClose={(hasStarted) => {
            setDoing(undefined);
            if (!hasStarted) return;
            setMarked(new Set());
            pages.reload();
          }}
        />
      )}
    </>
  );
}

/** The cause that all dead letters of the list have. */
function Cause({ params }: { params: URLSearchParams }) {
  const [reason, message] = [params.get("reason"), params.get("message")];
  if (reason === null) return null;
  return (
    <p class="note">
      <span class="badge bad">{reason}</span> <code>{params.get("sqlState")}</code>{" "}
      <Text value={message ?? ""} max={600} />{" "}
      <button
        type="button"
        class="inline"
        onClick={() => setParams({ reason: undefined, message: undefined, sqlState: undefined, view: "list" })}
      >
        show every cause
      </button>
    </p>
  );
}

function backToGroups(params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of ["reason", "message", "sqlState", "view"]) next.delete(name);
  return next;
}
