/** One side of a comparison; each of its rounds gives one figure. */
export type Contender = {
  name: string;
  /** Runs one round and returns its figure, for example rows per second. */
  round: () => Promise<number>;
};

/** The figures of one shape, for example 100 events of 1 KB: for each contender one figure per round. */
export type Series = { shape: string; unit: string; contenders: { name: string; figures: number[] }[] };

export type Rounds = {
  /** Counted rounds; at least 7 for published figures. */
  rounds: number;
  /** Discarded rounds before the counted ones. */
  warmUps: number;
};

/**
 * Runs the contenders alternately, each round in another order, so that other work on the machine slows all of them.
 */
export async function measureAlternately(
  shape: string,
  unit: string,
  contenders: readonly Contender[],
  { rounds, warmUps }: Rounds,
): Promise<Series> {
  const measured = contenders.map(({ name }) => ({ name, figures: [] as number[] }));
  for (let round = -warmUps; round < rounds; round++) {
    for (let offset = 0; offset < contenders.length; offset++) {
      const place = (offset + round + warmUps) % contenders.length;
      const figure = await contenders[place]?.round();
      if (round >= 0 && figure !== undefined) measured[place]?.figures.push(figure);
    }
  }
  return { shape, unit, contenders: measured };
}

/** Divides one contender's figures by another's, round by round. */
export function ratios({ contenders }: Series, name: string, over: string): number[] {
  const figuresOf = (wanted: string) => contenders.find((each) => each.name === wanted)?.figures ?? [];
  const below = figuresOf(over);
  return figuresOf(name).map((figure, round) => figure / (below[round] ?? Number.NaN));
}

export type Spread = { median: number; min: number; max: number };

export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return { median: (low + high) / 2, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}
