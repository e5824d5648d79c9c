import type { schemas } from "../functions/core/answer.ts";

/** The API's answers as the screens use them; all of them derive from the schemas of the answers. */

type Answer<Name extends keyof typeof schemas> = ReturnType<(typeof schemas)[Name]["parse"]>;

export type RefusalPage = Answer<"Refusals">;
export type RefusalGroup = RefusalPage["groups"][number];
export type DeadLetter = Answer<"DeadLetter">;
export type DeadLetterRow = Answer<"DeadLetters">["deadLetters"][number];
export type DeadLetterGroup = Answer<"DeadLetterGroups">["groups"][number];
export type ReplayJob = Answer<"Replay">;
export type ReplayPlan = Answer<"ReplayPlan">;
export type ExportJob = Answer<"Export">;
export type ExportPlan = Answer<"ExportPlan">;
export type RedeliveryJob = Answer<"Redelivery">;
export type RedeliveryPlan = Answer<"RedeliveryPlan">;
export type RestoreJob = Answer<"Restore">;
export type Subscription = Answer<"Subscription">;
export type WholeSubscription = Answer<"WholeSubscription">;
export type MadeSubscription = Answer<"MadeSubscription">;
export type Attempt = Answer<"Attempts">["attempts"][number];
export type Delivery = Answer<"Deliveries">["deliveries"][number];
export type FailureGroup = Answer<"Failures">["groups"][number];
export type Key = Answer<"Key">;
export type MadeKey = Answer<"MadeKey">;
export type AuditPage = Answer<"Audit">;
export type AuditEntry = AuditPage["entries"][number];
export type Verdict = Answer<"Verdict">;
export type EventFault = NonNullable<Verdict["errors"]>[number];
