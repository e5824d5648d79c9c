import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { isDark } from "../frame/theme.ts";
import { colorOf, type Series, toOptions } from "./chart-options.ts";
import { ChartTable, written } from "./chart-table.tsx";
import { time } from "./format.ts";

type Props = {
  /** The name of the figure and of its table. */
  title: string;
  /** Times in seconds, ascending. */
  times: readonly number[];
  series: readonly Series[];
  /** Writes a value. */
  format: (value: number) => string;
  height?: number;
  /** Called with the times, in seconds, between which the user has drawn. */
  onBrush?: ((from: number, to: number) => void) | undefined;
  /** Stands at the end of the title. */
  aside?: preact.ComponentChildren;
};

/**
 * A chart over time. Arrow keys move its cursor and a live region reads the values; with Shift they choose a range, which Enter
 * takes. Its table has the same values.
 */
export function Chart({ title, times, series, format, height = 140, onBrush, aside }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<number | undefined>(undefined);
  const [spoken, setSpoken] = useState("");
  const anchor = useRef<number | undefined>(undefined);
  const brush = useRef(onBrush);
  brush.current = onBrush;
  const dark = isDark.value;
  const shape = JSON.stringify([
    series.map(({ name, color, kind }) => [name, color, kind]),
    height,
    onBrush !== undefined,
    dark,
  ]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(
      toOptions({ width: element.clientWidth, height, series, format, element, setAt, brush }),
      toData(times, series),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== made.width)
        made.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  useEffect(() => plot.current?.setData(toData(times, series)), [times, series]);

  const describe = (index: number) =>
    `${time((times[index] ?? 0) * 1_000, { seconds: false })}: ${series.map(({ name, values }) => `${name} ${written(values[index], format)}`).join(", ")}`;

  const onKey = (event: KeyboardEvent) => {
    const next = keyTo(event.key, at ?? times.length - 1, times.length);
    const chart = plot.current;
    if (chart === undefined || times.length === 0) return;
    if (event.key === "Enter" && anchor.current !== undefined && at !== undefined) {
      const [from, to] = [Math.min(anchor.current, at), Math.max(anchor.current, at)];
      anchor.current = undefined;
      brush.current?.(times[from] ?? 0, times[to + 1] ?? (times[to] ?? 0) + stepOf(times));
    } else if (next !== undefined) {
      event.preventDefault();
      anchor.current = event.shiftKey && onBrush !== undefined ? (anchor.current ?? at ?? next) : undefined;
      const left = chart.valToPos(times[next] ?? 0, "x");
      chart.setCursor({ left, top: 0 });
      const start = anchor.current === undefined ? left : chart.valToPos(times[anchor.current] ?? 0, "x");
      chart.setSelect(
        { left: Math.min(start, left), width: Math.abs(left - start), top: 0, height: chart.over.clientHeight },
        false,
      );
      setAt(next);
      setSpoken(describe(next));
    }
  };

  const keys =
    onBrush === undefined
      ? "Arrow keys read the values."
      : "Arrow keys read the values; with Shift they choose a range, and Enter shows it.";
  const shown = at ?? lastKnown(series);
  return (
    <figure class="chart" aria-label={title}>
      <figcaption>
        <b>{title}</b>
        <span class="legend">
          {series.map(({ name, values, color }) => (
            <span key={name}>
              <i style={{ background: `var(${colorOf(color)})` }} />
              {name} <b>{written(values[shown], format)}</b>
            </span>
          ))}
          {times[shown] !== undefined && <time>{time(times[shown] * 1_000, { seconds: false })}</time>}
        </span>
        {aside}
      </figcaption>
      {/* biome-ignore lint: the canvas itself has no content that could have the focus */}
      <div class="plot" ref={box} role="img" tabIndex={0} aria-label={`${title}. ${keys}`} onKeyDown={onKey} />
      <span class="visually-hidden" aria-live="polite">
        {spoken}
      </span>
      <ChartTable title={title} times={times} series={series} format={format} />
    </figure>
  );
}

/** The last place where there is a value. */
function lastKnown(series: readonly Series[]): number {
  return Math.max(-1, ...series.map(({ values }) => values.findLastIndex((value) => value !== null)));
}

function toData(times: readonly number[], series: readonly Series[]): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])];
}

function keyTo(key: string, at: number, length: number): number | undefined {
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, at - 1);
    case "ArrowRight":
      return Math.min(length - 1, at + 1);
    case "Home":
      return 0;
    case "End":
      return length - 1;
    default:
      return undefined;
  }
}

function stepOf(times: readonly number[]): number {
  return (times[1] ?? 60) - (times[0] ?? 0);
}
