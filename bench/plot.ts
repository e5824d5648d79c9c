import type { Series } from "./rounds.ts";
import { spread } from "./rounds.ts";

/**
 * Draws the medians as bars with the range of all rounds, one group per shape. Each group has its own scale, because only
 * figures of one group are comparable.
 */
export function plot(title: string, series: readonly Series[]): string {
  const groups = series.map((each) => plotGroup(each));
  const height = HEAD + groups.reduce((sum, { height: own }) => sum + own, 0);
  let top = HEAD;
  const parts = groups.map(({ draw, height: own }) => {
    const drawn = draw(top);
    top += own;
    return drawn;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="${escapeXml(title)}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(16, 26, title, { size: 16, weight: 600 }),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function plotGroup({ shape, unit, contenders }: Series): { height: number; draw: (top: number) => string } {
  const spreads = contenders.map(({ name, figures }) => ({ name, ...spread(figures) }));
  const scale = BAR_WIDTH / Math.max(...spreads.map(({ max }) => max));
  const draw = (top: number) =>
    [
      text(16, top + 16, `${shape}: ${unit}`, { color: MUTED }),
      ...spreads.flatMap(({ name, median, min, max }, index) => {
        const y = top + GROUP_HEAD + index * BAR_STEP;
        const middle = y + BAR_HEIGHT / 2;
        const [from, to] = [LABEL_WIDTH + min * scale, LABEL_WIDTH + max * scale];
        return [
          text(LABEL_WIDTH - 8, middle + 4, name, { anchor: "end" }),
          `<rect x="${LABEL_WIDTH}" y="${y}" width="${round(median * scale)}" height="${BAR_HEIGHT}" rx="2" fill="${index === 0 ? OURS : OTHERS}"/>`,
          `<path d="M${round(from)} ${middle}H${round(to)}M${round(from)} ${y + 4}V${y + BAR_HEIGHT - 4}M${round(to)} ${y + 4}V${y + BAR_HEIGHT - 4}" stroke="#1f2933" stroke-width="1.2" fill="none"/>`,
          text(LABEL_WIDTH + max * scale + 8, middle + 4, figure(median), {}),
        ];
      }),
    ].join("\n");
  return { height: GROUP_HEAD + spreads.length * BAR_STEP + 14, draw };
}

type TextStyle = { anchor?: "end"; size?: number; weight?: number; color?: string };

function text(x: number, y: number, words: string, { anchor, size, weight, color = "#1f2933" }: TextStyle): string {
  const styles = [
    anchor && ` text-anchor="${anchor}"`,
    size && ` font-size="${size}"`,
    weight && ` font-weight="${weight}"`,
  ];
  return `<text x="${round(x)}" y="${round(y)}" fill="${color}"${styles.filter(Boolean).join("")}>${escapeXml(words)}</text>`;
}

/** Formats a figure with three significant digits and thousands separators. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  const rounded = digits === 0 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function escapeXml(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

const round = (value: number): number => Math.round(value * 10) / 10;

const WIDTH = 820;
const LABEL_WIDTH = 250;
const BAR_WIDTH = 470;
const BAR_HEIGHT = 18;
const BAR_STEP = 26;
const HEAD = 44;
const GROUP_HEAD = 26;
const OURS = "#2f6f8f";
const OTHERS = "#b8c4cc";
const MUTED = "#52606d";
