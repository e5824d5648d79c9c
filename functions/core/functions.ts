/** Every function of Sluice: a folder in functions/ with a handler.ts, and a construct in lib/. */
export const FUNCTIONS = [
  "ingest",
  "consume",
  "drain",
  "query",
  "migrate",
  "rotate",
  "access",
  "export",
  "replay",
  "notify",
  "status",
  "console",
  "retain",
  "api-docs",
] as const;

export type FunctionName = (typeof FUNCTIONS)[number];
