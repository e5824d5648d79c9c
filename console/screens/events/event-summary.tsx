import { bytes, duration, time } from "../../parts/format.ts";
import { partsOf, stringOf } from "../../parts/json-parts.ts";
import { Text } from "../../parts/text.tsx";

export type Attributes = Readonly<Record<string, string | undefined>>;

/** The attributes of an event that are texts. */
export function attributesOf(text: string): Attributes {
  return Object.fromEntries(
    partsOf(text.trim()).flatMap(({ key, text: json }) =>
      json.startsWith('"') && key !== "data" ? [[key, stringOf(json)]] : [],
    ),
  );
}

/** An event in a few lines. */
export function EventSummary({ attributes, size }: { attributes: Attributes; size: number }) {
  const { type = "", source = "", subject, time: sent, receivedat = "", dataschema } = attributes;
  const late = sent === undefined ? Number.NaN : Date.parse(receivedat) - Date.parse(sent);
  return (
    <dl class="pairs">
      <dt>Type</dt>
      <dd>
        <Text value={type} />
      </dd>
      <dt>Source</dt>
      <dd>
        <Text value={source} />
      </dd>
      {subject !== undefined && (
        <>
          <dt>Subject</dt>
          <dd>
            <Text value={subject} />
          </dd>
        </>
      )}
      {dataschema !== undefined && (
        <>
          <dt>Version</dt>
          <dd>
            <Text value={dataschema} />
          </dd>
        </>
      )}
      <dt>Received</dt>
      <dd class="number">
        <time dateTime={receivedat}>{time(receivedat, { millis: true })}</time>
        {late > 0 && <span class="quiet"> · {duration(late)} after its own time</span>} ·{" "}
        <span class="quiet">{bytes(size)}</span>
      </dd>
    </dl>
  );
}
