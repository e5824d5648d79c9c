import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { useAction } from "../../parts/use-action.ts";
import type { WholeSubscription } from "../../types.ts";
import { MoreFields } from "./more-fields.tsx";
import { PlaceFields } from "./sink-fields.tsx";
import { changesBody, draftOf, filterFault, type SubscriptionDraft } from "./subscription-body.ts";

type Props = {
  subscription: WholeSubscription;
  /** The filter as it was sent; empty where there is none. */
  filter: string;
  onClose: () => void;
  onChanged: () => void;
};

/** Changes the settings of a subscription that is there; what is left as it is stays. */
export function ChangeSettings({ subscription, filter, onClose, onChanged }: Props) {
  const [before] = useState(() => draftOf(subscription, filter));
  const [draft, setDraft] = useState(before);
  const set = (changes: Partial<SubscriptionDraft>) => setDraft({ ...draft, ...changes });
  const fault = filterFault(draft.filter);
  const isSame = fault === undefined && Object.keys(changesBody(before, draft)).length === 0;
  const change = useAction(async () => {
    await call("PUT", `subscriptions/${encodeURIComponent(subscription.id)}`, { body: changesBody(before, draft) });
    onChanged();
  });
  const { sink } = subscription;
  const headers = Object.keys((sink["headers"] as object | undefined) ?? {});
  return (
    <FormDialog
      title="Change the settings"
      verb={change.isRunning ? "Changing…" : "Change"}
      isDisabled={isSame || fault !== undefined || change.isRunning}
      problem={change.problem}
      onSubmit={change.run}
      onClose={onClose}
    >
      <label>
        Name, for people
        <input
          name="name"
          required
          maxLength={100}
          value={draft.name}
          onInput={({ currentTarget: { value } }) => set({ name: value })}
        />
      </label>
      <label>
        Filter, as JSON; every event where it is empty
        <textarea
          name="filter"
          rows={6}
          spellcheck={false}
          value={draft.filter}
          aria-invalid={fault !== undefined}
          aria-describedby="change-fault"
          onInput={({ currentTarget: { value } }) => set({ filter: value })}
        />
      </label>
      <p id="change-fault" class="bad">
        {fault}
      </p>
      <PlaceFields draft={draft} set={set} kept={placeOf(sink)} />
      {headers.length > 0 && draft.place.trim() !== "" && (
        <p class="note warn">
          The new place gets no headers of yours. {headers.join(", ")} can be sent to it with{" "}
          <code>PUT /subscriptions/{"{id}"}</code>.
        </p>
      )}
      <MoreFields draft={draft} set={set} isNew={false} />
    </FormDialog>
  );
}

function placeOf({ url, topicArn, queueUrl, to }: WholeSubscription["sink"]): string {
  const place = [url, topicArn, queueUrl].find((each) => typeof each === "string");
  return place === undefined ? (Array.isArray(to) ? to.join(", ") : "the one of now") : place;
}
