import uPlot from "uplot";
import { time } from "./format.ts";

export type Series = {
  name: string;
  values: readonly (number | null)[];
  color: "accent" | "good" | "bad" | "warn" | "quiet";
  kind?: "bars" | "area" | "line";
};

type Chart = {
  width: number;
  height: number;
  series: readonly Series[];
  format: (value: number) => string;
  /** Colours and font are those of this element. */
  element: Element;
  setAt: (index: number | undefined) => void;
  brush: { readonly current: ((from: number, to: number) => void) | undefined };
};

/** The custom property of style.css that has a colour. */
export function colorOf(color: Series["color"]): string {
  return `--${color}`;
}

/** The options of a chart of this page. uPlot draws on a canvas, so colours are read from the style of the page. */
export function toOptions({ width, height, series, format, element, setAt, brush }: Chart): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => resolve(element, `var(${name})`);
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: color("--quiet"), font, ticks: { show: false }, grid: { stroke: color("--line"), width: 1 } };
  const hasBars = series.some(({ kind }) => kind === "bars");
  const isBrush = brush.current !== undefined;
  return {
    width,
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: isBrush, y: false, setScale: false } },
    scales: {
      // A bar stands between its time and the next one, so the last one needs room behind it.
      x: {
        range: (plot, low, high) => [low, high + (hasBars ? (high - low) / Math.max(1, plot.data[0].length - 1) : 0)],
      },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { ...axis, size: 24, grid: { show: false }, space: 64, values: (_plot, ticks) => ticks.map(tick) },
      { ...axis, size: 48, space: 32, values: (_plot, ticks) => ticks.map(format) },
    ],
    series: [{}, ...series.map((each) => toSeries(each, color(colorOf(each.color))))],
    hooks: {
      setCursor: [(plot) => setAt(plot.cursor.idx ?? undefined)],
      setSelect: [
        (plot) => {
          const { left, width: drawn } = plot.select;
          if (drawn < 4) return;
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          brush.current?.(plot.posToVal(left, "x"), plot.posToVal(left + drawn, "x"));
        },
      ],
    },
  };
}

/** The time of a tick; the date where a day begins. */
function tick(seconds: number): string {
  const text = time(seconds * 1_000, { seconds: false });
  return text.endsWith(" 00:00") ? text.slice("2026-".length, "2026-11-30".length) : text.slice(-"00:00".length);
}

function toSeries({ name, kind = "line" }: Series, color: string): uPlot.Series {
  const bars = kind === "bars" ? { paths: uPlot.paths.bars?.({ size: [0.8, 24], align: 1 }) } : {};
  return {
    label: name,
    stroke: color,
    width: kind === "bars" ? 0 : 1.5,
    points: { show: false },
    ...(kind !== "line" && { fill: kind === "bars" ? color : `color-mix(in srgb, ${color} 16%, transparent)` }),
    ...bars,
  };
}

/** The value of a colour as a canvas understands it, whatever functions of CSS it is written with. */
function resolve(element: Element, value: string): string {
  const probe = document.createElement("span");
  probe.style.color = value;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
