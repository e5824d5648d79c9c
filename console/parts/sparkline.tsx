const [WIDTH, HEIGHT] = [96, 22];

/** A small picture of values over time. The numbers beside it say the same. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const step = WIDTH / Math.max(1, values.length);
  const bars = values
    .map((value, index) => {
      const height = value === 0 ? 0 : Math.max(1.5, (value / most) * HEIGHT);
      return height === 0
        ? ""
        : `M${(index * step).toFixed(1)} ${HEIGHT}v${(-height).toFixed(1)}h${(step * 0.8).toFixed(1)}V${HEIGHT}z`;
    })
    .join("");
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" preserveAspectRatio="none">
      <path d={bars} />
    </svg>
  );
}
