import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

export type Column<Row> = {
  /** Unique in the table. */
  name: string;
  title: ComponentChildren;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the end of their cell. */
  align?: "end";
  /** Of the width that is left, or a fixed one; a share of 1 where it is missing. */
  width?: string;
  /** Left out where the window is narrow, so that a table never needs to be scrolled sideways. */
  wide?: boolean;
};

type Props<Row> = {
  /** The name of the table, for people who do not see it. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Makes the first cell of each row a link: the address of what it opens. */
  href?: (row: Row) => string;
  /** The key of the row that is open. */
  selected?: string | undefined;
  /** Called with the rows that can be seen. */
  onSeen?: (rows: readonly Row[]) => void;
  /** Stands below the last row. */
  foot?: ComponentChildren;
};

const ROW_HEIGHT = 32;
/** Rows drawn above and below those that can be seen. */
const AHEAD = 12;
/** The rows that are drawn change when so much was scrolled. */
const STEP = 6 * ROW_HEIGHT;

/** A table that draws the rows that can be seen, however many there are. Arrow keys go from row to row. */
export function Table<Row>({ label, columns, rows, rowKey, href, selected, onSeen, foot }: Props<Row>) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const focusAt = useRef<number | undefined>(undefined);
  const first = Math.max(0, Math.floor(view.top / STEP) * (STEP / ROW_HEIGHT) - AHEAD);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / STEP) * (STEP / ROW_HEIGHT) + AHEAD);
  const drawn = rows.slice(first, last);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = () =>
      setView((before) => {
        const { scrollTop: top, clientHeight: height } = element;
        const isSame = Math.floor(before.top / STEP) === Math.floor(top / STEP) && before.height === height;
        return isSame ? before : { top, height };
      });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  useEffect(() => onSeen?.(rows.slice(first, last)), [rows, first, last, onSeen]);

  useEffect(() => {
    if (focusAt.current === undefined) return;
    const link = scroller.current?.querySelector<HTMLElement>(`[data-row="${focusAt.current}"] a`);
    if (link === null || link === undefined) return;
    link.focus({ preventScroll: true });
    focusAt.current = undefined;
  });

  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const row = (event.target as Element).closest("[data-row]");
    if (step === 0 || row === null || href === undefined) return;
    event.preventDefault();
    // A key that is held down comes faster than rows are drawn.
    const from = focusAt.current ?? Number(row.getAttribute("data-row"));
    const next = Math.max(0, Math.min(rows.length - 1, from + step));
    focusAt.current = next;
    const element = scroller.current;
    if (element === null) return;
    const top = next * ROW_HEIGHT;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + 2 * ROW_HEIGHT > element.scrollTop + element.clientHeight)
      element.scrollTop = top + 2 * ROW_HEIGHT - element.clientHeight;
    setView({ top: element.scrollTop, height: element.clientHeight });
  };

  return (
    <div class="table" ref={scroller} onKeyDown={move}>
      <table aria-label={label} aria-rowcount={rows.length + 1}>
        <colgroup>
          {columns.map(({ name, width, wide }) => (
            <col key={name} class={wide === true ? "wide" : ""} style={width === undefined ? {} : { width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Space height={first * ROW_HEIGHT} />
          {drawn.map((row, index) => (
            <TableRow
              key={rowKey(row)}
              row={row}
              index={first + index}
              columns={columns}
              href={href}
              isSelected={rowKey(row) === selected}
            />
          ))}
          <Space height={(rows.length - last) * ROW_HEIGHT} />
        </tbody>
      </table>
      {foot}
    </div>
  );
}

type RowProps<Row> = Pick<Props<Row>, "columns" | "href"> & { row: Row; index: number; isSelected: boolean };

/** A row is drawn once: scrolling changes which rows there are, and not what is in them. */
function TableRow<Row>({ row, index, columns, href, isSelected }: RowProps<Row>) {
  return useMemo(
    () => (
      <tr data-row={index} aria-rowindex={index + 2} class={isSelected ? "selected" : ""} onClick={openRow}>
        {columns.map((column, at) => (
          <td key={column.name} class={classOf(column)}>
            {at === 0 && href !== undefined ? <a href={href(row)}>{column.cell(row)}</a> : column.cell(row)}
          </td>
        ))}
      </tr>
    ),
    [row, index, columns, isSelected],
  );
}

/** A click anywhere in a row is one on its link, unless it chose text or another control. */
function openRow(event: MouseEvent): void {
  const target = event.target as Element;
  if (target.closest("a, button, input, label, select") !== null || getSelection()?.isCollapsed === false) return;
  (event.currentTarget as Element).querySelector("a")?.click();
}

/** In place of rows that are not drawn. It has one cell, because there may be fewer columns than the table has names of. */
function Space({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" class="space" style={{ height: `${height}px` }}>
      <td />
    </tr>
  );
}

function classOf({ align, wide }: { align?: "end"; wide?: boolean }): string {
  return `${align ?? ""} ${wide === true ? "wide" : ""}`.trim();
}
