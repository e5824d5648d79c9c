import { useState } from "preact/hooks";
import type { Series } from "./chart-options.ts";
import { time } from "./format.ts";

type Props = {
  title: string;
  times: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
};

/** The same values as a table, which is made when it is opened. */
export function ChartTable({ title, times, series, format }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="twin" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {isOpen && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col" class="end">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((at, index) => (
                <tr key={at}>
                  <th scope="row">{time(at * 1_000, { seconds: false })}</th>
                  {series.map(({ name, values }) => (
                    <td key={name} class="end">
                      {written(values[index], format)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** A value, or a dash where there is none. */
export function written(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "–" : format(value);
}
