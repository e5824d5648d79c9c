import * as z from "zod";
import { EXPORT_FAILURES, EXPORT_FORMATS, EXPORT_STATES, exportPart } from "./export-job.ts";

const count = z.int().nonnegative();

/** An export: its settings, its progress and, when it is done, the links of its files. */
export const exportAnswer = z.object({
  id: z.string(),
  state: z.enum(EXPORT_STATES),
  format: z.enum(EXPORT_FORMATS),
  filter: z.unknown().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  select: z.array(z.string()).optional(),
  keyId: z.string().meta({ description: "The id of the key that started it" }),
  createdAt: z.iso.datetime(),
  progressAt: z.iso.datetime().meta({ description: "When it last came further" }),
  finishedAt: z.iso.datetime().optional(),
  horizon: z.string().optional().meta({ description: "The set of events: those that were stored then" }),
  rows: count.meta({ description: "Events in its files so far" }),
  scanned: count.meta({ description: "Events that were read for it, also those that do not match" }),
  bytes: count.meta({ description: "Of its files so far, compressed" }),
  parts: count.meta({ description: "Files so far" }),
  reason: z.enum(EXPORT_FAILURES).optional().meta({ description: "Why it failed; stable" }),
  detail: z.string().optional().meta({ description: "The same for people" }),
  filesExpireAt: z.iso.datetime().optional().meta({ description: "When its files are deleted" }),
  filesExpiredAt: z.iso.datetime().optional().meta({ description: "Its files are deleted since" }),
  filesErasedAt: z.iso.datetime().optional().meta({ description: "Its files are deleted since, by an erasure" }),
  linksExpireAt: z.iso.datetime().optional().meta({ description: "Ask again then for new links" }),
  manifest: z
    .object({ name: z.string(), url: z.url() })
    .optional()
    .meta({ description: "The file that lists all files with their rows, sizes and SHA-256" }),
  files: z.array(z.object({ ...exportPart.shape, url: z.url() })).optional(),
  next: count.optional().meta({ description: "The `after` of the files behind these; missing at the end" }),
});

export type ExportAnswer = z.output<typeof exportAnswer>;
