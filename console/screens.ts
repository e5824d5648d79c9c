import type { ComponentType } from "preact";
import type { Scope } from "../functions/core/scopes.ts";
import { Events } from "./screens/events.tsx";
import { Overview } from "./screens/overview.tsx";
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
];
