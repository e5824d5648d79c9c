import * as z from "zod/mini";
import { TENANT_MAX_BYTES, TYPE_MAX_BYTES } from "./limits.ts";
import {
  REFUSAL_MESSAGE_GROUP_SAMPLES,
  REFUSAL_POINTER_MAX_CHARACTERS,
  REFUSAL_TEXT_MAX_CHARACTERS,
} from "./refusal-limits.ts";

/** Refusals in a message and in a table; apart from refusal.ts, because a schema that ingest never uses would cost its cold start. */

const instant = z.iso.datetime();
const text = z.string().check(z.maxLength(REFUSAL_TEXT_MAX_CHARACTERS));

const cause = z.object({
  code: z.string().check(z.regex(/^[a-z_]{1,40}$/)),
  /** The event's type as it was sent; missing where it had none that can be one, and of a whole request. */
  type: z.optional(z.string().check(z.maxLength(TYPE_MAX_BYTES))),
  /** The place of the error in the event, as refusal-pointer.ts writes it. */
  pointer: z.string().check(z.maxLength(REFUSAL_POINTER_MAX_CHARACTERS)),
});

const sample = z.object({
  at: instant,
  keyId: text,
  requestId: text,
  userAgent: z.optional(text),
  /** Of the event. */
  id: z.optional(text),
  source: z.optional(text),
  /** The object around the error: the names of its members, each with type and length of the value, for example `string(12)`. */
  members: z.optional(z.record(z.string(), z.string())),
});

const count = z.object({
  count: z.int().check(z.positive()),
  first: instant,
  last: instant,
  /** The latest ones first. */
  samples: z.array(sample),
});

const group = z.object({
  tenant: z.string().check(z.minLength(1), z.maxLength(TENANT_MAX_BYTES)),
  /** UTC, for example `2026-11-29`. */
  day: z.iso.date(),
  ...cause.shape,
  ...count.shape,
  /** Events, and whole requests, that count in no group of an earlier error: each refused event is in one group of a message. */
  events: z.int().check(z.nonnegative()),
  samples: z.array(sample).check(z.maxLength(REFUSAL_MESSAGE_GROUP_SAMPLES)),
});

/** A message of ingest. It has the same id as often as it is sent. */
export const refusalsMessage = z.object({
  kind: z.literal("refusals"),
  id: z.string().check(z.regex(/^[\w-]{1,64}$/)),
  groups: z.array(group).check(z.minLength(1)),
});

/** A group as it is stored: it remembers the messages that it has counted, the latest last. */
export const storedRefusals = z.object({ ...cause.shape, ...count.shape, counted: z.array(z.string()) });

export type RefusalCause = z.output<typeof cause>;
export type RefusalSample = z.output<typeof sample>;
export type RefusalCount = z.output<typeof count>;
export type RefusalGroup = z.output<typeof group>;
export type RefusalsMessage = z.output<typeof refusalsMessage>;
export type StoredRefusals = z.output<typeof storedRefusals>;
