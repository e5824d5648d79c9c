import { route } from "../route.ts";
import { Groups } from "./dead-letters/groups.tsx";
import { List } from "./dead-letters/list.tsx";
import { One } from "./dead-letters/one.tsx";

/** Accepted events that could not be stored: by their causes, as a list, or one whole. */
export function DeadLetters() {
  const { path, params } = route.value;
  const [id] = path;
  if (id !== undefined) return <One key={id} id={id} />;
  return params.has("reason") || params.get("view") === "list" ? <List /> : <Groups />;
}
