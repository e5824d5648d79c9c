import type { StatusAnswer } from "../../../functions/core/status-answers.ts";
import { ago, count, time } from "../../parts/format.ts";
import { link } from "../../route.ts";
import { balanceOf } from "./balance.ts";

type Account = Exclude<StatusAnswer["ledger"], { unavailable: string }>;

/** The ledger as the equation that it is, and its difference as a number. */
export function Ledger({ status: { ledger } }: { status: StatusAnswer }) {
  if ("unavailable" in ledger) {
    return (
      <section class="card" aria-label="Ledger">
        <h2>Ledger</h2>
        <p class="bad">It could not be read: {ledger.unavailable}</p>
      </section>
    );
  }
  const balance = balanceOf(ledger);
  return (
    <section class="card ledger" aria-label="Ledger">
      <header>
        <h2>Ledger</h2>
        <p class="quiet" title={ledger.takenAt === undefined ? undefined : time(ledger.takenAt)}>
          {ledger.takenAt === undefined
            ? "Not taken yet; it follows within a minute of the first stored event"
            : `Counts taken ${ago(ledger.takenAt)}`}
        </p>
      </header>
      <div class="sum">
        <Term name="Accepted" value={ledger.accepted} sign="" />
        <Term name="Stored" value={ledger.stored} sign="=" />
        <Term name="Copies" value={ledger.copies} sign="+" hint="Their key was stored already, with the same content" />
        <Term
          name="Conflicts"
          value={ledger.conflicts}
          sign="+"
          hint="Their key was stored already, with other content: the first is kept"
        />
        <Term
          name="Open dead letters"
          value={ledger.open}
          sign="+"
          href={link("dead-letters")}
          tone={ledger.open > 0 ? "warn" : ""}
        />
        <Term
          name="Replayed"
          value={ledger.replayed}
          sign="+"
          hint="Dead letters that are sent again and not stored yet"
        />
        <Term name="Discarded" value={ledger.discarded} sign="+" hint="Dead letters that somebody gave up" />
        <Term name="Difference" value={ledger.difference} sign="+" tone={balance.tone} hint={balance.says} />
      </div>
      <p class={`balance ${balance.tone}`} role="status">
        {balance.says}
      </p>
      {ledger.tenants !== undefined && ledger.tenants.length > 0 && <Tenants ledger={ledger} />}
    </section>
  );
}

type TermProps = { name: string; value: number; sign: string; href?: string; tone?: string; hint?: string };

function Term({ name, value, sign, href, tone = "", hint }: TermProps) {
  return (
    <div class={`term ${tone}`} title={hint}>
      <span class="sign">{sign}</span>
      <b class="number">{href === undefined ? count(value) : <a href={href}>{count(value)}</a>}</b>
      <span class="quiet">{name}</span>
    </div>
  );
}

/** The tenants with a difference first, then those with most events: the order of the API. */
function Tenants({ ledger }: { ledger: Account }) {
  const { tenants = [], moreTenants } = ledger;
  return (
    <details>
      <summary>By tenant</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Ledger by tenant">
        <table>
          <thead>
            <tr>
              <th scope="col">Tenant</th>
              <th scope="col" class="end">
                Accepted
              </th>
              <th scope="col" class="end">
                Stored
              </th>
              <th scope="col" class="end">
                Open
              </th>
              <th scope="col" class="end">
                Difference
              </th>
            </tr>
          </thead>
          <tbody>
            {tenants.map((each) => (
              <tr key={each.tenant}>
                <th scope="row">
                  <a href={link("overview", { tenant: each.tenant })}>{each.tenant}</a>
                </th>
                <td class="end">{count(each.accepted)}</td>
                <td class="end">{count(each.stored)}</td>
                <td class="end">{count(each.open)}</td>
                <td class={`end ${balanceOf(each).tone}`}>{count(each.difference)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {moreTenants !== undefined && moreTenants > 0 && (
          <p class="quiet">{count(moreTenants)} more tenants are not in this list.</p>
        )}
      </div>
    </details>
  );
}
