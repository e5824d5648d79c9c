import { CONSUME_WINDOW_SECONDS } from "../../functions/core/function-limits.ts";
import {
  DELIVERIES_IN_FLIGHT,
  DELIVERY_TIMEOUT_DEFAULT_MS,
  IN_FLIGHT_OF_ONE,
} from "../../functions/core/subscription-limits.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { figure } from "../plot.ts";
import { type Pipeline, startPipeline } from "../pipeline/pipeline.ts";
import { measureAlternately, ratios, type Series, spread } from "../rounds.ts";
import { type BareLoop, startBareLoop } from "./bare-loop.ts";
import { deliverAll, deliverAtRate, deliverBacklog } from "./deliveries.ts";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";
import { subscribe, unsubscribe } from "./subscriptions.ts";

/** Of the load, as in the other benchmarks of the whole stack. */
const PER_REQUEST = 100;

/** B21 to B23. */
export const notifyBenchmark: Benchmark = {
  name: "notify",
  title: "Delivering events",
  about:
    "Events of 1 KB, posted to the whole local stack and delivered as signed webhooks to a receiver in a process of its own, which " +
    "reads them and answers 204. The bare loop is a loop of `fetch` with as many requests at once " +
    `(${IN_FLIGHT_OF_ONE}, and ${DELIVERIES_IN_FLIGHT} for ten subscriptions) that posts the same bodies and headers to the same ` +
    "receiver; it stores and signs nothing. Both are counted from the first webhook to the last, on the same cores; ours with all " +
    "that a delivery takes of the functions, the local runtime and the database. B21 is a backlog: events are stored while their subscriptions are " +
    "disabled, and then these are enabled at once and one worker is woken. It matches the events before the first webhook; within the time each is claimed, signed and sent, and its result written, but for the last. " +
    "The whole way is of events that are posted meanwhile: requests, ingest, queue and consume share the cores, and with one subscription an event is " +
    "stored for each delivery. It has no bound of its own. Its second figure has the batch window before the first webhook as well. The dead sink is the hundredth subscription: one " +
    `that accepts requests and never answers (its attempts end after ${DELIVERY_TIMEOUT_DEFAULT_MS / 1_000} s, which no round ` +
    "reaches), and one that refuses connections. Times are from the row of an event to its last byte at the receiver.",
  run: measureNotify,
};

/** As fast as they go: each event to one subscription, and to ten. */
const ALL = [
  { sinks: 1, events: 4_000 },
  { sinks: 10, events: 1_000 },
];
const QUICK_SHARE = 0.1;

/** Beside a dead sink: each event to a hundred subscriptions. */
const BESIDE = { sinks: 100, eventsPerSecond: 2, perRequest: 1 };

/** Deliveries a second; fewer where the machine does not deliver that many by far enough. */
const RATE = { mostPerSecond: 500, shareOfMost: 0.8 };
const RATE_SHAPES = [
  { sinks: 1, perRequest: PER_REQUEST },
  { sinks: 10, perRequest: 10 },
];

async function measureNotify(options: BenchOptions): Promise<BenchReport> {
  const receiver = await startReceiver();
  const bare = startBareLoop();
  try {
    const pipeline = await startPipeline("ours", { allowHttpSinks: true });
    try {
      return await measureIn({ pipeline, receiver, bare }, options);
    } finally {
      await pipeline.stop();
    }
  } finally {
    await Promise.all([receiver.stop(), bare.stop()]);
  }
}

type Parts = { pipeline: Pipeline; receiver: Receiver; bare: BareLoop };

async function measureIn(parts: Parts, options: BenchOptions): Promise<BenchReport> {
  const shown = async (measuring: Promise<Series>) => {
    const series = await measuring;
    for (const { name, figures } of series.contenders)
      options.log(`${series.shape}: ${name} ${figure(spread(figures).median)} ${series.unit}`);
    return series;
  };
  const backlogs: Series[] = [];
  for (const shape of ALL) backlogs.push(await shown(measureBacklog(parts, shape, options)));
  const all: Series[] = [];
  for (const shape of ALL) all.push(await shown(measureAll(parts, shape, options)));
  const atRates: Series[] = [];
  for (const [place, shape] of RATE_SHAPES.entries()) {
    const most = all[place]?.contenders.find(({ name }) => name === SLUICE)?.figures ?? [];
    const enough = Math.floor((RATE.shareOfMost * spread(most).median) / PER_REQUEST) * PER_REQUEST;
    const perSecond = Math.max(Math.min(RATE.mostPerSecond, enough), PER_REQUEST);
    atRates.push(await shown(measureAtRate(parts, { ...shape, perSecond }, options)));
  }
  const beside = await shown(measureBeside(parts, options));
  return {
    series: [...backlogs, ...all, ...atRates, beside],
    checks: [
      ...backlogs.map((series) => ({
        id: "B21",
        what: `deliveries a second, ${series.shape}`,
        against: "a bare `fetch` loop",
        ratios: ratios(series, SLUICE, BARE),
        floor: { atLeast: 0.5 },
      })),
      ...[SILENT, REFUSING].map((dead) => ({
        id: "B22",
        what: `stored to received, p99 of ${BESIDE.sinks - 1} sinks beside ${dead}`,
        against: `beside ${ALIVE}`,
        ratios: ratios(beside, dead, ALIVE),
        floor: { atMost: 1.1 },
      })),
      ...atRates.map(({ shape, contenders: [p99] }) => ({
        id: "B23",
        what: `stored to received, p99, ${shape}`,
        against: "batch window + 1 s",
        ratios: (p99?.figures ?? []).map((seconds) => seconds / (CONSUME_WINDOW_SECONDS + 1)),
        floor: { atMost: 1 },
      })),
    ],
    notes: [],
  };
}

const SLUICE = "Sluice";
const BARE = "bare fetch loop";

async function measureBacklog(
  parts: Parts,
  { sinks: count, ...shape }: (typeof ALL)[number],
  options: BenchOptions,
): Promise<Series> {
  const { pipeline, receiver } = parts;
  const events = shape.events * (options.quick ? QUICK_SHARE : 1);
  return withSinks(parts, count, async (sinks) => {
    const round = () => deliverBacklog({ pipeline, receiver, sinks }, { events, perRequest: PER_REQUEST });
    const name = `a backlog, ${toSubscriptions(count)}`;
    return measureBesideBare(parts, { name, count, requests: events * count, round }, options);
  });
}

async function measureAll(
  parts: Parts,
  { sinks: count, ...shape }: (typeof ALL)[number],
  options: BenchOptions,
): Promise<Series> {
  const { pipeline, receiver } = parts;
  const events = shape.events * (options.quick ? QUICK_SHARE : 1);
  return withSinks(parts, count, async (sinks) => {
    const fromRequests: number[] = [];
    const round = async () => {
      const done = await deliverAll({ pipeline, receiver, sinks }, { events, perRequest: PER_REQUEST });
      fromRequests.push(done.fromRequest);
      return done;
    };
    const name = `the whole way, ${toSubscriptions(count)}`;
    const series = await measureBesideBare(parts, { name, count, requests: events * count, round }, options);
    const whole = { name: "Sluice, from the first request", figures: fromRequests.slice(-options.rounds) };
    return { ...series, contenders: [...series.contenders, whole] };
  });
}

/** Rounds of ours, and of the bare loop with the webhooks of the round before. */
async function measureBesideBare(
  { receiver, bare }: Parts,
  ours: {
    name: string;
    count: number;
    requests: number;
    round: () => Promise<{ perSecond: number; received: Received }>;
  },
  { rounds, log }: BenchOptions,
): Promise<Series> {
  const { name, count, requests } = ours;
  const concurrency = Math.min(DELIVERIES_IN_FLIGHT, IN_FLIGHT_OF_ONE * count);
  log(`${requests} deliveries a round, ${name}`);
  let webhooks: Received["samples"] = [];
  const round = async () => {
    const { perSecond, received } = await ours.round();
    webhooks = received.samples;
    return perSecond;
  };
  // Its webhooks are those of the bare loop.
  await round();
  const bareRound = () => bare.run({ url: `${receiver.url}/sinks/bare`, webhooks, requests, concurrency });
  const contenders = [
    { name: SLUICE, round },
    { name: BARE, round: bareRound },
  ];
  return measureAlternately(name, "deliveries/s", contenders, { rounds, warmUps: 1 });
}

async function measureAtRate(
  { pipeline, receiver }: Parts,
  { sinks: count, perSecond, perRequest }: (typeof RATE_SHAPES)[number] & { perSecond: number },
  { rounds, quick, log }: BenchOptions,
): Promise<Series> {
  const eventsPerSecond = perSecond / count;
  log(`${eventsPerSecond} events/s, ${toSubscriptions(count)}`);
  return withSinks({ pipeline, receiver }, count, async (sinks) => {
    const seconds = quick ? 3 : 10;
    const [p99s, p50s]: [number[], number[]] = [[], []];
    for (let round = -1; round < rounds; round++) {
      const { p99, p50 } = await deliverAtRate({ pipeline, receiver, sinks }, { eventsPerSecond, seconds, perRequest });
      if (round < 0) continue;
      p99s.push(p99 / 1_000);
      p50s.push(p50 / 1_000);
    }
    return {
      shape: `${perSecond} deliveries/s, ${toSubscriptions(count)}`,
      unit: "s",
      contenders: [
        { name: "stored to received, p99", figures: p99s },
        { name: "stored to received, p50", figures: p50s },
      ],
    };
  });
}

const ALIVE = "one that answers";
const SILENT = "one that never answers";
const REFUSING = "one that refuses connections";

async function measureBeside({ pipeline, receiver }: Parts, { rounds, quick, log }: BenchOptions): Promise<Series> {
  const { eventsPerSecond } = BESIDE;
  log(`${eventsPerSecond} events/s to ${BESIDE.sinks} subscriptions`);
  return withSinks({ pipeline, receiver }, BESIDE.sinks - 1, async (sinks) => {
    const seconds = quick ? 3 : 8;
    const beside = (url: string) => async () => {
      const last = await subscribe(pipeline, "last", url);
      try {
        const { p99 } = await deliverAtRate({ pipeline, receiver, sinks }, { ...BESIDE, seconds });
        return p99 / 1_000;
      } finally {
        await unsubscribe(pipeline, last);
        // Ends what the sink holds, which would take part in the next round.
        await receiver.take();
      }
    };
    const contenders = [
      { name: ALIVE, round: beside(`${receiver.url}/last`) },
      { name: SILENT, round: beside(`${receiver.silentUrl}/last`) },
      { name: REFUSING, round: beside(`${receiver.refusingUrl}/last`) },
    ];
    const shape = `${BESIDE.sinks} subscriptions, ${eventsPerSecond * BESIDE.sinks} deliveries/s`;
    return measureAlternately(shape, "s, p99", contenders, { rounds, warmUps: 1 });
  });
}

const toSubscriptions = (count: number) => `each event to ${count === 1 ? "1 subscription" : `${count} subscriptions`}`;

/** Makes subscriptions for some work, and removes them after it. The work gets the paths of their sinks. */
async function withSinks<Result>(
  { pipeline, receiver }: Omit<Parts, "bare">,
  count: number,
  work: (sinks: ReadonlySet<string>) => Promise<Result>,
): Promise<Result> {
  const made: string[] = [];
  const paths = Array.from({ length: count }, (_, number) => `/sinks/${number}`);
  try {
    for (const path of paths) made.push(await subscribe(pipeline, path, `${receiver.url}${path}`));
    return await work(new Set(paths));
  } finally {
    for (const id of made) await unsubscribe(pipeline, id);
  }
}
