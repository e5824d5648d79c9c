/** The operations of one run, as AWS counts them for the bill. */
export type Operations = {
  /** Calls by SQS action; empty receives are a separate entry. */
  queue: Record<string, QueueCalls>;
  functions: Record<FunctionRole, Invocations>;
  dataApi: { calls: number; units: number };
  /** Billed units: a strongly consistent read is one, an eventually consistent one half. */
  dynamodb: { reads: number; writes: number };
  /** Log bytes of the functions, without Lambda's own lines. */
  logBytes: number;
};

export type QueueCalls = {
  calls: number;
  /** Billed chunks: each call once, and once more for each further 64 KB of payload. */
  chunks: number;
  /** The chunks that were sent with a message group. */
  groupedChunks: number;
  messages: number;
};

export type FunctionRole = "ingest" | "consume";

export type Invocations = {
  invocations: number;
  /** Sum of durations, each rounded up to whole milliseconds, as billed. */
  milliseconds: number;
  memoryMegabytes: number;
};

export function noOperations(memoryMegabytes: Record<FunctionRole, number>): Operations {
  const none = (role: FunctionRole) => ({ invocations: 0, milliseconds: 0, memoryMegabytes: memoryMegabytes[role] });
  return {
    queue: {},
    functions: { ingest: none("ingest"), consume: none("consume") },
    dataApi: { calls: 0, units: 0 },
    dynamodb: { reads: 0, writes: 0 },
    logBytes: 0,
  };
}

export function messagesOf({ queue }: Operations, ...actions: string[]): number {
  return actions.reduce((sum, action) => sum + (queue[action]?.messages ?? 0), 0);
}
