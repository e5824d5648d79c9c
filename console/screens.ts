import type { ComponentType } from "preact";
import type { Scope } from "../functions/core/scopes.ts";
import { Audit } from "./screens/audit.tsx";
import { DeadLetters } from "./screens/dead-letters.tsx";
import { Events } from "./screens/events.tsx";
import { Jobs } from "./screens/jobs.tsx";
import { Keys } from "./screens/keys.tsx";
import { Live } from "./screens/live.tsx";
import { Overview } from "./screens/overview.tsx";
import { Refusals } from "./screens/refusals.tsx";
import { Send } from "./screens/send.tsx";
import { Subscriptions } from "./screens/subscriptions.tsx";
import { Types } from "./screens/types.tsx";

export type Screen = {
  /** Its place in the fragment. */
  name: string;
  title: string;
  /** The group of the navigation that it stands in. */
  group: "Observe" | "Repair" | "Deliver" | "Administer";
  /** What the session needs to use it. */
  scope: Scope;
  view: ComponentType;
};

/** The screens in the order of the navigation. */
export const screens: readonly Screen[] = [
  { name: "overview", title: "Overview", group: "Observe", scope: "status", view: Overview },
  { name: "events", title: "Events", group: "Observe", scope: "events:read", view: Events },
  { name: "types", title: "Types", group: "Observe", scope: "events:read", view: Types },
  { name: "live", title: "Live", group: "Observe", scope: "events:read", view: Live },
  { name: "send", title: "Send", group: "Observe", scope: "events:write", view: Send },
  { name: "refusals", title: "Refusals", group: "Repair", scope: "status", view: Refusals },
  { name: "dead-letters", title: "Dead letters", group: "Repair", scope: "dead-letters:read", view: DeadLetters },
  { name: "jobs", title: "Jobs", group: "Repair", scope: "events:read", view: Jobs },
  { name: "subscriptions", title: "Subscriptions", group: "Deliver", scope: "subscriptions", view: Subscriptions },
  { name: "keys", title: "Keys", group: "Administer", scope: "keys", view: Keys },
  { name: "audit", title: "Audit log", group: "Administer", scope: "admin", view: Audit },
];
