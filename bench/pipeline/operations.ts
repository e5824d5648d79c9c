/** What a run did, as AWS would count it for the bill. */
export type Operations = {
  /** Calls by SQS action, empty receives apart from others. */
  queue: Record<string, QueueCalls>;
  functions: Record<FunctionRole, Invocations>;
  dataApi: { calls: number; units: number };
  /** What the functions wrote to their logs; Lambda's own lines are not among it. */
  logBytes: number;
};

export type QueueCalls = {
  calls: number;
  /** What is billed: each call once, and once more for each further 64 KB of payload. */
  chunks: number;
  /** Those of the chunks that were sent with a message group. */
  groupedChunks: number;
  messages: number;
};

export type FunctionRole = "ingest" | "consume";

export type Invocations = {
  invocations: number;
  /** Each rounded up to whole milliseconds, as it is billed. */
  milliseconds: number;
  memoryMegabytes: number;
};

export function noOperations(memoryMegabytes: Record<FunctionRole, number>): Operations {
  const none = (role: FunctionRole) => ({ invocations: 0, milliseconds: 0, memoryMegabytes: memoryMegabytes[role] });
  return {
    queue: {},
    functions: { ingest: none("ingest"), consume: none("consume") },
    dataApi: { calls: 0, units: 0 },
    logBytes: 0,
  };
}

export function messagesOf({ queue }: Operations, ...actions: string[]): number {
  return actions.reduce((sum, action) => sum + (queue[action]?.messages ?? 0), 0);
}
