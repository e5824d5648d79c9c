import { count } from "../../parts/format.ts";
import type { WholeSubscription } from "../../types.ts";

/** The events that matched as a sum of what became of them. */
export function Ledger({ ledger }: { ledger: WholeSubscription["ledger"] }) {
  const { matched, delivered, pending, failed, skipped } = ledger;
  const parts = [
    { label: "delivered", value: delivered, tone: delivered > 0 ? "good" : "" },
    { label: "pending", value: pending, tone: "" },
    { label: "failed", value: failed, tone: failed > 0 ? "bad" : "" },
    { label: "skipped", value: skipped, tone: skipped > 0 ? "warn" : "" },
  ];
  return (
    <section class="sum" aria-label="Ledger: matched is the sum of the others">
      <div class="tile">
        <span class="quiet">matched</span> <b>{count(matched)}</b>
      </div>
      <span class="sign" aria-hidden="true">
        =
      </span>
      {parts.map(({ label, value, tone }, index) => (
        <>
          {index > 0 && (
            <span class="sign" aria-hidden="true">
              +
            </span>
          )}
          <div key={label} class="tile">
            <span class="quiet">{label}</span> <b class={tone}>{count(value)}</b>
          </div>
        </>
      ))}
    </section>
  );
}
