/** The lease of a step on its job: there is none, it is over, another step holds it for so many seconds, or it is held now. */
export type HeldJob<Job> =
  | { kind: "absent" }
  | { kind: "over"; job: Job }
  | { kind: "leased"; seconds: number }
  | { kind: "held"; job: Job };
