const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Parses a duration such as `90s`, `30m`, `2h`, `3d` or `1w` to milliseconds. @throws Error that names the option */
export function duration(option: string) {
  return (text: string): number => {
    const [, count, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
    if (count === undefined || Number(count) === 0)
      throw new Error(`${option} takes a duration such as 90s, 30m, 2h, 3d or 1w, not ${text}.`);
    return Number(count) * UNITS[unit as keyof typeof UNITS];
  };
}
