import type { StatusAnswer } from "../../../functions/core/status-answers.ts";
import { partsOfHealth } from "./health-parts.ts";

/** Each part with its state in words. */
export function Health({ status }: { status: StatusAnswer }) {
  return (
    <section class="card" aria-label="Health">
      <header>
        <h2>Parts</h2>
        <p class="quiet">
          Version {status.version} · build <code>{status.build}</code>
        </p>
      </header>
      <ul class="parts">
        {partsOfHealth(status).map(({ name, tone, says, detail }) => (
          <li key={name}>
            <span class="quiet">{name}</span>
            <b class={tone}>{says}</b>
            <span class="quiet number">{detail}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
