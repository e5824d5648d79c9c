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
import { tenant } from "../session.ts";
import type { Subscription } from "../types.ts";
import { NewSubscription } from "./subscriptions/new-subscription.tsx";
import { OneSubscription } from "./subscriptions/one-subscription.tsx";
import { sinkText, standingOf, TONE_CLASSES } from "./subscriptions/standing.ts";

/** The sinks to which events are sent, and whether they arrive. */
export function Subscriptions() {
  const [id] = route.value.path;
  if (id === "new") return <NewSubscription />;
  return id === undefined ? <SubscriptionList /> : <OneSubscription key={id} id={id} />;
}

function SubscriptionList() {
  useOpened();
  const pages = usePages<Subscription>(`subscriptions ${tenant.value}`, async (after, signal) => {
    const { body } = await call<{ subscriptions: Subscription[]; next: string | null }>("GET", "subscriptions", {
      query: { after },
      signal,
    });
    return { rows: body.subscriptions, next: body.next };
  });
  return (
    <>
      <header class="head">
        <h1>Subscriptions</h1>
        <a class="button primary" href={link("subscriptions", {}, ["new"])}>
          New subscription
        </a>
      </header>
      <Paged
        pages={pages}
        what="subscriptions"
        empty={
          <Empty title="Nobody has subscribed">
            <p>
              A subscription sends the events that match its filter to a webhook, an e-mail address, a chat, a topic or
              a queue.
            </p>
          </Empty>
        }
      >
        <Table
          label="Subscriptions"
          columns={COLUMNS}
          rows={pages.rows}
          rowKey={({ id }) => id}
          href={({ id }) => link("subscriptions", {}, [id])}
          foot={<PageFoot pages={pages} one="subscription" />}
        />
      </Paged>
    </>
  );
}

const COLUMNS: readonly Column<Subscription>[] = [
  { name: "name", title: "Name", cell: ({ name }) => <Text value={name} max={100} /> },
  {
    name: "state",
    title: "State",
    width: "11rem",
    cell: (subscription) => {
      const { label, tone } = standingOf(subscription, new Date().toISOString());
      return <span class={`badge ${TONE_CLASSES[tone]}`}>{label}</span>;
    },
  },
  { name: "sink", title: "Sink", cell: ({ sink }) => <Text value={sinkText(sink)} max={120} />, wide: true },
  {
    name: "filter",
    title: "Events",
    wide: true,
    cell: ({ filter }) => (filter === undefined ? "all" : <Text value={JSON.stringify(filter)} max={120} />),
  },
  { name: "made", title: "Made", cell: ({ createdAt }) => <When at={createdAt} />, width: "8rem", wide: true },
];
