import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { ConfirmCount } from "../../parts/confirm-count.tsx";
import { count } from "../../parts/format.ts";
import { SecretOnce } from "../../parts/secret-once.tsx";
import { Failed } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { navigate } from "../../route.ts";
import type { MadeSubscription, WholeSubscription } from "../../types.ts";
import { RotateSecret } from "./rotate-secret.tsx";
import { secretsOf } from "./secrets-of.ts";
import { Seek } from "./seek.tsx";

type Props = { path: string; subscription: WholeSubscription; onChanged: () => void };

/** The actions on a subscription. */
export function Actions({ path, subscription, onChanged }: Props) {
  const [doing, setDoing] = useState<"delete" | "rotate" | "seek">();
  const [secret, setSecret] = useState<MadeSubscription>();
  const { state, sink, ledger } = subscription;
  const lost = ledger.pending + ledger.failed;
  const toggle = useAction(async () => {
    await call("POST", `${path}/${state === "active" ? "disable" : "enable"}`);
    onChanged();
  });
  const remove = useAction(async () => {
    await call("DELETE", path);
    navigate("subscriptions");
  });
  const close = () => setDoing(undefined);
  return (
    <div class="buttons">
      <button
        type="button"
        class={state === "active" ? "" : "primary"}
        disabled={toggle.isRunning}
        onClick={toggle.run}
      >
        {state === "active" ? "Disable" : "Enable"}
      </button>
      <button type="button" onClick={() => setDoing("seek")}>
        Deliver again…
      </button>
      {sink.type === "webhook" && (
        <button type="button" onClick={() => setDoing("rotate")}>
          Rotate secret…
        </button>
      )}
      <button type="button" onClick={() => setDoing("delete")}>
        Delete…
      </button>
      {toggle.problem !== undefined && <Failed problem={toggle.problem} />}
      {doing === "delete" && (
        <ConfirmCount
          title="Delete the subscription"
          count={Math.max(1, lost)}
          verb={lost > 0 ? "Drop" : "Delete"}
          onConfirm={remove.run}
          onCancel={close}
        >
          <p>
            It is deleted with everything that belongs to it: {count(ledger.pending)} pending and {count(ledger.failed)}{" "}
            failed deliveries are not sent any more. To stop it and lose nothing, disable it instead.
          </p>
          {remove.problem !== undefined && <Failed problem={remove.problem} />}
        </ConfirmCount>
      )}
      {doing === "seek" && (
        <Seek
          path={path}
          onClose={close}
          onDone={() => {
            close();
            onChanged();
          }}
        />
      )}
      {doing === "rotate" && (
        <RotateSecret
          path={path}
          onClose={close}
          onRotated={(rotated) => {
            close();
            setSecret(rotated);
          }}
        />
      )}
      {secret !== undefined && (
        <SecretOnce
          title="The new secret"
          secrets={secretsOf(secret)}
          onClose={() => {
            setSecret(undefined);
            onChanged();
          }}
        />
      )}
    </div>
  );
}
