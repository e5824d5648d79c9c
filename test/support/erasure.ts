import { createErasureJobs } from "../../functions/adapters/data-api/erasure-jobs.ts";
import { createErasureWork } from "../../functions/adapters/data-api/erasure-work.ts";
import type { ErasureJob, ErasureSelection, ErasureStep, NewErasure } from "../../functions/core/erasure-job.ts";
import type { ErasedObjects } from "../../functions/core/erasure-objects.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { createErasureStep, type ErasureOutcome } from "../../functions/retain/erasure-step.ts";
import { noObjects } from "./no-objects.ts";
import { soon } from "./database.ts";

export const PLANNED = {
  events: 0,
  restored: 0,
  deadLetters: 0,
  deliveries: 0,
  exports: 0,
  archive: 0,
  refusals: 0,
  isComplete: true,
};

export const erasureId = (name: string) => `ers_${Buffer.from(name.padEnd(16, "_")).toString("hex")}`;

type Options = {
  tenant?: string;
  id?: string;
  suppress?: NewErasure["suppress"];
  objects?: ErasedObjects;
  mostRows?: number;
};

/** Starts an erasure in a database, and runs its steps until it ends. */
export async function erase(
  database: Pick<SqlDatabase, "execute">,
  selection: ErasureSelection,
  options: Options = {},
): Promise<ErasureJob> {
  const { tenant = "default", id = erasureId("1"), suppress } = options;
  const jobs = createErasureJobs(database);
  await jobs.start({ id, tenant, selection, why: "asked for", suppress, keyId: "k", planned: PLANNED }, soon());
  return runErasure(database, id, options);
}

/** Runs the steps of a job, as the queue gives them, until it ends. */
export async function runErasure(
  database: Pick<SqlDatabase, "execute">,
  id: string,
  { tenant = "default", objects = noObjects, mostRows }: Options = {},
): Promise<ErasureJob> {
  const sent: ErasureStep[] = [{ erasure: id }];
  const step = createErasureStep({
    work: createErasureWork(database, mostRows === undefined ? {} : { mostRows }),
    objects,
    steps: {
      async send(message) {
        sent.push(message);
        return true;
      },
    },
    whyEnded: async () => undefined,
    // The start is not waited for.
    clock: () => new Date(Date.now() + 60_000),
  });
  const outcomes: ErasureOutcome[] = [];
  const end = Date.now() + 90_000;
  for (let message = sent.shift(); message !== undefined && Date.now() < end; message = sent.shift()) {
    const outcome = await step(message, { messageId: `m-${outcomes.length}` }, Date.now() + 300_000);
    outcomes.push(outcome);
    if (outcome.kind === "settling") await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const job = await createErasureJobs(database).read(tenant, id, soon());
  if (job?.finishedAt === undefined)
    throw new Error(`The erasure has not ended: ${JSON.stringify([job, ...outcomes.slice(-3)])}`);
  return job;
}

/** A database in which something else happens before each call of a function. */
export function interrupted(
  database: Pick<SqlDatabase, "execute">,
  name: string,
  interrupt: (call: number) => Promise<unknown>,
): Pick<SqlDatabase, "execute"> {
  let calls = 0;
  return {
    async execute(sql, parameters, deadline) {
      if (sql.includes(`${name}(`)) {
        calls += 1;
        await interrupt(calls);
      }
      return database.execute(sql, parameters, deadline);
    },
  };
}
