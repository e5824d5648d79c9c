/** Examples of keys, tenants and the audit log in the OpenAPI document. */

/** Bodies of `POST /keys`. */
export const newKeys = {
  producer: {
    summary: "A producer of some types",
    value: {
      role: "producer",
      name: "shop",
      expires: "90d",
      types: ["com.example.*"],
      limits: { eventsPerSecond: 100 },
    },
  },
  tenant: { summary: "The first key of a new tenant", value: { tenant: "acme", role: "admin" } },
};

/** Bodies of `POST /keys/{id}/rotate`. */
export const rotations = { grace: { summary: "The old key works for an hour", value: { grace: "1h" } } };

/** Bodies of `PUT /tenants/{tenant}`. */
export const tenantChanges = {
  suspend: { summary: "Suspend", value: { state: "suspended" } },
  limits: { summary: "Limits", value: { limits: { eventsPerSecond: 1_000, eventsPerDay: 10_000_000 } } },
};

const otherKeyId = "9hT2m4cWqL8s";

const key = {
  id: "4fQ0v7xYbN2k",
  tenant: "acme",
  role: "producer",
  name: "shop",
  types: ["com.example.*"],
  limits: { eventsPerSecond: 100 },
  state: "active",
  createdBy: otherKeyId,
  createdAt: "2026-11-28T09:30:00.000Z",
  expiresAt: "2027-02-26T09:30:00.000Z",
};

/** A key that no installation has; its checksum is wrong. */
const keyText = "sluice_4fQ0v7xYbN2kExampleOnlyNotAKeyOfAnyInstalled000000";

export const madeKey = { ...key, key: keyText };
export const rotatedKey = { ...key, id: otherKeyId, replaces: key.id, key: keyText };
export const usedKey = { ...key, lastUsed: "2026-11-28" };

export const tenant = {
  tenant: "acme",
  state: "active",
  createdAt: "2026-11-21T09:30:00.000Z",
  limits: { eventsPerSecond: 1_000 },
} as const;

const auditEntry = {
  tenant: "acme",
  number: 1,
  at: "2026-11-28T09:30:00.000Z",
  who: otherKeyId,
  action: "key.create",
  target: key.id,
  details: { role: "producer", name: "shop" },
  requestId: "3c0f7b1e-5a52-4a4f-9c1d-0e6f2b9d8a77",
  previous: "0".repeat(64),
  hash: "9f2c6f0d6f4b4c1f8e6d7f3a5b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c",
};

export const auditPage = { tenant: "acme", entries: [auditEntry], head: { number: 1, hash: auditEntry.hash } };
