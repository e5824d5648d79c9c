import { type DeclaredFields, toDeclaredFields } from "../functions/core/declared-fields.ts";
import { eventTypes } from "./event-types.ts";

/** The module `#declared-fields` of programs that run from the sources; a bundle has its own (lib/bundle.ts). */
export const declaredFields: DeclaredFields = toDeclaredFields(eventTypes);
