import {
  AccessError,
  type AccessStore,
  type AuditEntry,
  type AuditHead,
  type AuditLog,
  type KeyRecord,
  type KeyUsage,
  type Page,
  type PageRequest,
  type Replacement,
  type TenantRecord,
} from "../../../functions/core/access.ts";
import { chainEntry, EMPTY_HEAD, headFault, NO_HEAD } from "../../../functions/core/audit.ts";

/** Keys and tenants in memory, with the contract of the real store. */
export function memoryAccessStore(): { store: AccessStore; outage: () => void; recover: () => void } {
  const keys = new Map<string, KeyRecord>();
  const tenants = new Map<string, TenantRecord>();
  const gate = createGate();

  const store: AccessStore = {
    key: gate.guard(async (id: string) => copy(keys.get(id))),
    tenant: gate.guard(async (name: string) => copy(tenants.get(name))),
    createKey: gate.guard(async (record: KeyRecord) => create(keys, record.id, record)),
    revokeKey: gate.guard(async (id: string, revokedAt: string) => {
      const record = keys.get(id);
      if (record === undefined) return false;
      if (record.revokedAt === undefined || record.revokedAt > revokedAt) record.revokedAt = revokedAt;
      return true;
    }),
    replaceKey: gate.guard(async (id: string, { replacedBy, at, end }: Replacement) => {
      const record = keys.get(id);
      if (record === undefined) return false;
      const { revokedAt, expiresAt } = record;
      const isOver = revokedAt !== undefined || (expiresAt !== undefined && expiresAt <= at);
      if (record.replacedBy !== replacedBy && (record.replacedBy !== undefined || isOver)) return false;
      Object.assign(record, end, { replacedBy });
      return true;
    }),
    listKeys: gate.guard(async (tenant: string | undefined, page: PageRequest) => {
      const found = [...keys.values()].filter((key) => tenant === undefined || key.tenant === tenant);
      return toPage(found, (key) => `${key.tenant}/${key.id}`, page);
    }),
    createTenant: gate.guard(async (record: TenantRecord) => create(tenants, record.tenant, record)),
    changeTenant: gate.guard(async (name: string, changes: Partial<TenantRecord>) => {
      const record = tenants.get(name);
      if (record === undefined) return false;
      Object.assign(record, structuredClone(changes));
      return true;
    }),
    listTenants: gate.guard(async (page: PageRequest) => toPage([...tenants.values()], ({ tenant }) => tenant, page)),
  };
  return { store, outage: gate.close, recover: gate.open };
}

function create<Kept>(records: Map<string, Kept>, name: string, record: Kept): boolean {
  if (records.has(name)) return false;
  // Members that are undefined are left out, as by the table.
  records.set(name, JSON.parse(JSON.stringify(record)) as Kept);
  return true;
}

const copy = <Kept>(record: Kept): Kept => structuredClone(record);

function toPage<Kept>(
  records: Kept[],
  sortOf: (record: Kept) => string,
  { after = "", limit }: PageRequest,
): Page<Kept> {
  const sorted = records
    .filter((record) => sortOf(record) > after)
    .toSorted((a, b) => (sortOf(a) < sortOf(b) ? -1 : 1))
    .map(copy);
  const items = sorted.slice(0, limit);
  const last = items.at(-1);
  return { items, next: sorted.length > limit && last !== undefined ? sortOf(last) : undefined };
}

/** The last use of keys in memory. */
export function memoryKeyUsage(): { usage: KeyUsage; outage: () => void } {
  const days = new Map<string, string>();
  const gate = createGate();
  const write = gate.guard(async (keyId: string, day: string) => {
    if ((days.get(keyId) ?? "") < day) days.set(keyId, day);
  });
  return {
    usage: {
      used: (keyId, day) => write(keyId, day).catch(() => undefined),
      lastUsed: gate.guard(
        async (keyIds: readonly string[]) => new Map([...days].filter(([keyId]) => keyIds.includes(keyId))),
      ),
    },
    outage: gate.close,
  };
}

/** The parts of an audit log in memory that a test changes, as somebody would who can write its table. */
export type AuditRows = { entries: Map<number, AuditEntry>; head: AuditHead };

/**
 * An audit log in memory. `crashBeforeHead` ends the next append between the entry and the head, as a process does that is
 * killed there.
 */
export function memoryAuditLog() {
  const chains = new Map<string, AuditRows>();
  const gate = createGate();
  let isCrashing = false;
  const rowsOf = (tenant: string): AuditRows => {
    const rows = chains.get(tenant) ?? { entries: new Map<number, AuditEntry>(), head: NO_HEAD };
    chains.set(tenant, rows);
    return rows;
  };
  const moveHead = (rows: AuditRows, { number, hash }: AuditEntry) => {
    if (number > rows.head.number) rows.head = { number, hash };
  };
  const log: AuditLog = {
    append: gate.guard(async (fields: Parameters<AuditLog["append"]>[0]) => {
      const rows = rowsOf(fields.tenant);
      if (rows.head.hash === NO_HEAD.hash && rows.entries.size === 0) rows.head = EMPTY_HEAD;
      const behind = rows.entries.get(rows.head.number + 1);
      if (headFault(rows.head) !== undefined) throw new AccessError("The head was removed or edited.");
      if (behind !== undefined && rows.entries.has(behind.number + 1))
        throw new AccessError("The head was moved back.");
      if (behind !== undefined) moveHead(rows, behind);
      const entry = chainEntry(rows.head, JSON.parse(JSON.stringify(fields)) as typeof fields);
      rows.entries.set(entry.number, entry);
      if (isCrashing) {
        isCrashing = false;
        throw new AccessError("crash");
      }
      moveHead(rows, entry);
      return copy(entry);
    }),
    read: gate.guard(async (tenant: string, after: number, limit: number) => {
      const { entries, head } = rowsOf(tenant);
      const found = [...entries.values()]
        .filter(({ number }) => number > after)
        .toSorted((a, b) => a.number - b.number);
      return copy({ entries: found.slice(0, limit), head });
    }),
  };
  return {
    log,
    rowsOf,
    outage: gate.close,
    recover: gate.open,
    crashBeforeHead: () => {
      isCrashing = true;
    },
  };
}

/** Lets calls fail from `close` until `open`. */
function createGate() {
  let isDown = false;
  return {
    close: () => {
      isDown = true;
    },
    open: () => {
      isDown = false;
    },
    guard:
      <Arguments extends unknown[], Result>(call: (...values: Arguments) => Promise<Result>) =>
      async (...values: Arguments): Promise<Result> => {
        if (isDown) throw new AccessError("down");
        return call(...values);
      },
  };
}
