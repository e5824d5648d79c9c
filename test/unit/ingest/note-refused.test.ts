import { expect, it } from "vitest";
import { refusalsMessage } from "../../../functions/core/refusal-schema.ts";
import type { Validated } from "../../../functions/core/validate.ts";
import { noteInvalid } from "../../../functions/ingest/note-refused.ts";
import { createRefusals } from "../../../functions/ingest/refusals.ts";
import { memoryQueue } from "./support.ts";

const invalid = (...errors: { code: "required" | "too_big"; path: string }[]): Validated => ({
  kind: "invalid",
  id: undefined,
  errors: errors.map((error) => ({ ...error, message: "" })),
});

it("an event with several errors is in the group of each, and counts as an event in the first one alone", async () => {
  const { queue, enqueued } = memoryQueue();
  const at = "2026-11-30T09:30:00.000Z";
  const refusals = createRefusals({ queue, clock: () => new Date(at), newId: () => "m-1", later: () => undefined });
  const [a, b] = [
    { code: "required", path: "/data/a" },
    { code: "too_big", path: "/data/b" },
  ] as const;

  noteInvalid(
    refusals,
    { tenant: "acme", at, keyId: "k", requestId: "r", userAgent: undefined },
    [invalid(a, b), invalid(b), invalid(a, a, b)],
    [],
  );
  await refusals.send(Date.parse(at) + 1_000);

  const [message] = enqueued.map(({ body }) => refusalsMessage.parse(JSON.parse(body)));
  expect(message?.groups.map(({ code, count, events }) => [code, count, events])).toEqual([
    ["required", 2, 2],
    ["too_big", 3, 1],
  ]);
});
