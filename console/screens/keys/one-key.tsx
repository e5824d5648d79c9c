import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { ConfirmCount } from "../../parts/confirm-count.tsx";
import { time } from "../../parts/format.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useLoad } from "../../parts/use-load.ts";
import { useOpened } from "../../parts/use-opened.ts";
import { link } from "../../route.ts";
import { session, tenant } from "../../session.ts";
import type { Key, MadeKey } from "../../types.ts";
import { RotateKey } from "./rotate-key.tsx";
import { ShownKey } from "./shown-key.tsx";

export const KEY_TONES = { active: "good", expired: "warn", revoked: "bad" } as const;

/** One key: its rights, its last use, and its end. */
export function OneKey({ id }: { id: string }) {
  useOpened();
  const path = `keys/${encodeURIComponent(id)}`;
  const { data, problem, reload } = useLoad(`${tenant.value} ${id}`, async (signal) => {
    return (await call<Key>("GET", path, { signal })).body;
  });
  const [doing, setDoing] = useState<"revoke" | "rotate">();
  const [made, setMade] = useState<MadeKey>();
  const revoke = useAction(async () => {
    await call("DELETE", path);
    setDoing(undefined);
    reload();
  });
  return (
    <>
      <header class="head">
        <h1>
          <a href={link("keys")}>Keys</a> <span class="quiet">/</span> <Text value={data?.name ?? id} max={120} />{" "}
          {data !== undefined && <span class={`badge ${KEY_TONES[data.state]}`}>{data.state}</span>}
        </h1>
        {data?.state === "active" && (
          <div class="buttons">
            <button type="button" onClick={() => setDoing("rotate")}>
              Rotate…
            </button>
            <button type="button" onClick={() => setDoing("revoke")}>
              Revoke…
            </button>
          </div>
        )}
      </header>
      {problem !== undefined && <Failed problem={problem} onRetry={reload} />}
      {data === undefined ? problem === undefined && <Loading what="Loading the key" /> : <Settings settings={data} />}
      {doing === "revoke" && (
        <ConfirmCount
          title="Revoke the key"
          count={1}
          verb="Revoke"
          onConfirm={revoke.run}
          onCancel={() => setDoing(undefined)}
        >
          <p>
            Every function refuses the key within 10 seconds, and its jobs end. A revoked key never works again.
            {data?.lastUsed !== undefined && ` It was used on ${data.lastUsed}.`}
            {id === session.value?.keyId && <b> It is the key of this session, which ends too.</b>}
          </p>
          {revoke.problem !== undefined && <Failed problem={revoke.problem} />}
        </ConfirmCount>
      )}
      {doing === "rotate" && (
        <RotateKey
          path={path}
          onClose={() => setDoing(undefined)}
          onMade={(key) => {
            setDoing(undefined);
            setMade(key);
          }}
        />
      )}
      {made !== undefined && (
        <ShownKey
          made={made}
          onClose={() => {
            setMade(undefined);
            reload();
          }}
        />
      )}
    </>
  );
}

function Settings({ settings }: { settings: Key }) {
  const {
    id,
    tenant: owner,
    role,
    types,
    sources,
    limits,
    lastUsed,
    createdBy,
    createdAt,
    expiresAt,
    revokedAt,
  } = settings;
  const { replaces, replacedBy } = settings;
  const other = (key: string) => (key === "deployer" ? key : <a href={link("keys", {}, [key])}>{key}</a>);
  return (
    <section class="card" aria-label="Settings">
      <dl class="pairs">
        <dt>Id</dt>
        <dd>
          <code>{id}</code>
        </dd>
        <dt>Tenant</dt>
        <dd>{owner === "*" ? "* (the installation)" : owner}</dd>
        <dt>Role</dt>
        <dd>{role}</dd>
        <dt>Types</dt>
        <dd>{types === undefined ? "all" : <Text value={types.join(", ")} />}</dd>
        <dt>Sources</dt>
        <dd>{sources === undefined ? "all" : <Text value={sources.join(", ")} />}</dd>
        <dt>Limits</dt>
        <dd>{limitsText(limits)}</dd>
        <dt>Last used</dt>
        <dd>{lastUsed === undefined ? "never" : `${lastUsed} (UTC)`}</dd>
        <dt>Made</dt>
        <dd>
          {time(createdAt)} by {other(createdBy)}
        </dd>
        <dt>Ends</dt>
        <dd>{expiresAt === undefined ? "never" : time(expiresAt)}</dd>
        {revokedAt !== undefined && (
          <>
            <dt>Revoked</dt>
            <dd>{time(revokedAt)}</dd>
          </>
        )}
        {replaces !== undefined && (
          <>
            <dt>In place of</dt>
            <dd>{other(replaces)}</dd>
          </>
        )}
        {replacedBy !== undefined && (
          <>
            <dt>Replaced by</dt>
            <dd>{other(replacedBy)}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

function limitsText(limits: Key["limits"]): string {
  const set = Object.entries(limits ?? {}).map(([name, value]) => `${name} ${value}`);
  return set.length === 0 ? "none" : set.join(", ");
}
