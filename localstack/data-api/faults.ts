import * as z from "zod";
import { systemClock, type Clock } from "../clock.ts";
import { isErrorType, type ErrorType } from "./errors.ts";
import type { Operation, SqlParameter } from "./parse-request.ts";

const operation = z.enum(["ExecuteStatement", "BeginTransaction", "CommitTransaction", "RollbackTransaction"]);
const errorType = z.custom<ErrorType>((value) => typeof value === "string" && isErrorType(value), "is no error class");

/** The calls that a fault applies to: their number, a time and an operation. A missing member means no limit. */
const scope = {
  calls: z.int().positive().optional(),
  forMilliseconds: z.number().positive().optional(),
  operation: operation.optional(),
};

const fault = z.discriminatedUnion("kind", [
  /** Answers with this error instead of running the call, for example DatabaseResumingException. */
  z.strictObject({ kind: z.literal("error"), error: errorType, ...scope }),
  /** Runs (and commits) the call, then answers with this error. */
  z.strictObject({ kind: z.literal("errorAfter"), error: errorType, ...scope }),
  /** Closes the client's connection instead of running the call. */
  z.strictObject({ kind: z.literal("dropBefore"), ...scope }),
  /** Runs (and commits) the call, then closes the client's connection without an answer. */
  z.strictObject({ kind: z.literal("dropAfter"), ...scope }),
  /** Waits before running the call. */
  z.strictObject({ kind: z.literal("delay"), milliseconds: z.number().positive(), ...scope }),
  /** Neither runs the call nor answers until the faults change; then the connection is closed. */
  z.strictObject({ kind: z.literal("hang"), ...scope }),
  /** PostgreSQL refuses statements that have this text in a string parameter, with this SQLSTATE. */
  z.strictObject({
    kind: z.literal("refuse"),
    text: z.string().min(1),
    sqlState: z.string().regex(/^[0-9A-Z]{5}$/),
    ...scope,
  }),
]);

export type Fault = z.infer<typeof fault>;

/** The active faults, for tests. Also over HTTP: `GET`, `PUT` (a JSON array) and `DELETE` on `/_faults`. */
export type Faults = {
  list(): Fault[];
  /** Adds one to the active faults. */
  add(fault: Fault): void;
  /** Replaces all of them. */
  set(faults: Fault[]): void;
  clear(): void;
};

export type FaultSwitch = Faults & {
  /** The first fault of these kinds that applies to this call; the call counts against the fault's number of calls. */
  take<K extends Fault["kind"]>(kinds: readonly K[], operation: Operation): Extract<Fault, { kind: K }> | undefined;
  takeRefusal(parameters: SqlParameter[], operation: Operation): Extract<Fault, { kind: "refuse" }> | undefined;
  /** Resolves at the next change of the faults. */
  changed(): Promise<void>;
};

export const parseFaults = (json: unknown): Fault[] => z.array(fault).parse(json);

export function createFaults(clock: Clock = systemClock): FaultSwitch {
  let active: { fault: Fault; left: number; until: number }[] = [];
  let waiting: (() => void)[] = [];

  const change = (next: typeof active) => {
    active = next;
    for (const wake of waiting) wake();
    waiting = [];
  };
  const activate = (fault: Fault) => ({
    fault,
    left: fault.calls ?? Infinity,
    until: clock.now() + (fault.forMilliseconds ?? Infinity),
  });
  const takeWhere = <F extends Fault>(applies: (fault: Fault) => fault is F, operation: Operation) => {
    active = active.filter(({ left, until }) => left > 0 && clock.now() < until);
    for (const each of active) {
      if (!applies(each.fault) || (each.fault.operation ?? operation) !== operation) continue;
      each.left -= 1;
      return each.fault;
    }
    return undefined;
  };

  return {
    list: () => active.filter(({ left, until }) => left > 0 && clock.now() < until).map(({ fault }) => fault),
    add: (added) => change([...active, activate(fault.parse(added))]),
    set: (faults) => change(parseFaults(faults).map(activate)),
    clear: () => change([]),
    take: <K extends Fault["kind"]>(kinds: readonly K[], operation: Operation) => {
      const known: readonly string[] = kinds;
      return takeWhere((each): each is Extract<Fault, { kind: K }> => known.includes(each.kind), operation);
    },
    takeRefusal: (parameters, operation) => {
      const mentions = (text: string) => parameters.some(({ value }) => value.stringValue?.includes(text) === true);
      return takeWhere(
        (each): each is Extract<Fault, { kind: "refuse" }> => each.kind === "refuse" && mentions(each.text),
        operation,
      );
    },
    changed: () => new Promise((resolve) => waiting.push(resolve)),
  };
}
