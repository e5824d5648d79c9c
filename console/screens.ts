import type { ComponentType } from "preact";
import type { Scope } from "../functions/core/scopes.ts";
import { lazy } from "./parts/lazy.tsx";
import { Events } from "./screens/events.tsx";
import { Overview } from "./screens/overview.tsx";
import { Types } from "./screens/types.tsx";

export type Screen = {
  /** Its place in the fragment. */
  name: string;
  title: string;
  /** The group of the navigation that it stands in. */
  group: "Observe" | "Repair" | "Deliver" | "Administer";
  /** The scope without which a session cannot use it. */
  scope: Scope;
  view: ComponentType;
};

/** A screen that is not part of the first load. */
const later = (name: keyof typeof import("./screens/later.ts")): ComponentType =>
  lazy(async () => (await import("./screens/later.ts"))[name]);

/** The screens in the order of the navigation. */
export const screens: readonly Screen[] = [
  { name: "overview", title: "Overview", group: "Observe", scope: "status", view: Overview },
  { name: "events", title: "Events", group: "Observe", scope: "events:read", view: Events },
  { name: "types", title: "Types", group: "Observe", scope: "events:read", view: Types },
  { name: "live", title: "Live", group: "Observe", scope: "events:read", view: later("Live") },
  { name: "send", title: "Send", group: "Observe", scope: "events:write", view: later("Send") },
  { name: "refusals", title: "Refusals", group: "Repair", scope: "status", view: later("Refusals") },
  {
    name: "dead-letters",
    title: "Dead letters",
    group: "Repair",
    scope: "dead-letters:read",
    view: later("DeadLetters"),
  },
  { name: "jobs", title: "Jobs", group: "Repair", scope: "console", view: later("Jobs") },
  {
    name: "subscriptions",
    title: "Subscriptions",
    group: "Deliver",
    scope: "subscriptions",
    view: later("Subscriptions"),
  },
  { name: "keys", title: "Keys", group: "Administer", scope: "keys", view: later("Keys") },
  { name: "audit", title: "Audit log", group: "Administer", scope: "admin", view: later("Audit") },
];
