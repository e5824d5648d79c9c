/** The key that makes an event unique. */
export type Key = { tenant: string; source: string; id: string };

/**
 * A map by key. It nests one map per part instead of joining the parts into a string, so that different keys never collide.
 */
export class KeyMap<T> {
  readonly #values: T[] = [];
  readonly #tenants = new Map<string, Map<string, Map<string, T>>>();

  get({ tenant, source, id }: Key): T | undefined {
    return this.#tenants.get(tenant)?.get(source)?.get(id);
  }

  /** The key must be new. */
  add({ tenant, source, id }: Key, value: T): T {
    inner(inner(this.#tenants, tenant), source).set(id, value);
    this.#values.push(value);
    return value;
  }

  /** All values, in the order of insertion. */
  get values(): readonly T[] {
    return this.#values;
  }
}

function inner<T>(outer: Map<string, Map<string, T>>, name: string): Map<string, T> {
  let found = outer.get(name);
  if (found === undefined) outer.set(name, (found = new Map()));
  return found;
}
