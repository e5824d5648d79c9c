import { useState } from "preact/hooks";
import { call } from "../api/client.ts";
import { PageFoot } from "../parts/page-foot.tsx";
import { Paged } from "../parts/paged.tsx";
import { Empty } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { Text } from "../parts/text.tsx";
import { usePages } from "../parts/use-pages.ts";
import { When } from "../parts/when.tsx";
import { useOpened } from "../parts/use-opened.ts";
import { link, route } from "../route.ts";
import { isOfInstallation, session, tenant } from "../session.ts";
import type { Key, MadeKey } from "../types.ts";
import { NewKey } from "./keys/new-key.tsx";
import { KEY_TONES, OneKey } from "./keys/one-key.tsx";
import { ShownKey } from "./keys/shown-key.tsx";

/** The keys of the API, with their rights, their end and their last use. */
export function Keys() {
  const [id] = route.value.path;
  return id === undefined ? <KeyList /> : <OneKey key={id} id={id} />;
}

function KeyList() {
  useOpened();
  const [isNew, setNew] = useState(false);
  const [made, setMade] = useState<MadeKey>();
  const pages = usePages<Key>(`keys ${tenant.value}`, async (after, signal) => {
    const { body } = await call<{ keys: Key[]; next?: string }>("GET", "keys", { query: { after }, signal });
    return { rows: body.keys, next: body.next };
  });
  return (
    <>
      <header class="head">
        <h1>Keys</h1>
        <button type="button" class="primary" onClick={() => setNew(true)}>
          New key…
        </button>
      </header>
      <Paged
        pages={pages}
        what="keys"
        empty={
          <Empty title="There is no key">
            <p>Whoever sends or reads events needs one.</p>
          </Empty>
        }
      >
        <Table
          label="Keys"
          columns={isOfInstallation.value ? [...COLUMNS, TENANT] : COLUMNS}
          rows={pages.rows}
          rowKey={({ id }) => id}
          href={({ id }) => link("keys", {}, [id])}
          foot={<PageFoot pages={pages} one="key" />}
        />
      </Paged>
      {isNew && (
        <NewKey
          onClose={() => setNew(false)}
          onMade={(key) => {
            setNew(false);
            setMade(key);
          }}
        />
      )}
      {made !== undefined && (
        <ShownKey
          made={made}
          onClose={() => {
            setMade(undefined);
            pages.reload();
          }}
        />
      )}
    </>
  );
}

const COLUMNS: readonly Column<Key>[] = [
  {
    name: "name",
    title: "Name",
    cell: ({ name, id }) => (
      <>
        {name === undefined ? <code>{id}</code> : <Text value={name} max={100} />}{" "}
        {id === session.value?.keyId && <span class="badge accent">yours</span>}
      </>
    ),
  },
  { name: "role", title: "Role", cell: ({ role }) => role, width: "6rem" },
  {
    name: "state",
    title: "State",
    cell: ({ state }) => <span class={`badge ${KEY_TONES[state]}`}>{state}</span>,
    width: "6rem",
  },
  { name: "used", title: "Last used", cell: ({ lastUsed }) => lastUsed ?? "never", wide: true },
  { name: "made", title: "Made", cell: ({ createdAt }) => <When at={createdAt} />, wide: true },
  { name: "ends", title: "Ends", cell: ({ expiresAt }) => expiresAt?.slice(0, 10) ?? "never", wide: true },
  { name: "id", title: "Id", cell: ({ id }) => <code>{id}</code>, wide: true },
];

const TENANT: Column<Key> = { name: "tenant", title: "Tenant", cell: ({ tenant: owner }) => owner, wide: true };
