/** What is measured: a round gives one figure. */
export type Contender = {
  name: string;
  /** Runs one round and answers its figure, for example rows a second. */
  round: () => Promise<number>;
};

/** The figures of one shape (say, 100 events of 1 KB), a list of rounds for each contender in the order measured. */
export type Series = { shape: string; unit: string; contenders: { name: string; figures: number[] }[] };

export type Rounds = {
  /** Counted ones; at least 7 for figures that are published. */
  rounds: number;
  /** Thrown away, in front. */
  warmUps: number;
};

/**
 * Lets contenders take turns, each round in another order, so that whatever else the machine does meets all of them.
 */
export async function measureInTurns(
  shape: string,
  unit: string,
  contenders: readonly Contender[],
  { rounds, warmUps }: Rounds,
): Promise<Series> {
  const measured = contenders.map(({ name }) => ({ name, figures: [] as number[] }));
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const place = (turn + round + warmUps) % contenders.length;
      const figure = await contenders[place]?.round();
      if (round >= 0 && figure !== undefined) measured[place]?.figures.push(figure);
    }
  }
  return { shape, unit, contenders: measured };
}

/** One contender's figures over another's, round by round. */
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
