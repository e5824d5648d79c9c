/** The screens that are not part of the first load: one script has them all. */
export { Audit } from "./audit.tsx";
export { DeadLetters } from "./dead-letters.tsx";
export { Jobs } from "./jobs.tsx";
export { Keys } from "./keys.tsx";
export { Live } from "./live.tsx";
export { Refusals } from "./refusals.tsx";
export { Send } from "./send.tsx";
export { Subscriptions } from "./subscriptions.tsx";
