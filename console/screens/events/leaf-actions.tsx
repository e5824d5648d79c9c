import { addCondition } from "../../parts/filter-chips.tsx";
import { conditionFor } from "../../parts/filter-params.ts";
import type { Leaf } from "../../parts/json-tree.tsx";
import { route, setParams } from "../../route.ts";
import { COLUMN, columnFor } from "./query.ts";

/** The uses of a value of an event: find others that have it, and show it in the list. */
export function LeafActions({ leaf: { path, text, throughArrays }, onUsed }: { leaf: Leaf; onUsed: () => void }) {
  const condition = conditionFor(
    path.filter((_, index) => throughArrays[index] !== true),
    text,
  );
  const column = path[0] === "data" ? columnFor(path, throughArrays) : undefined;
  const name = path.join(".").slice(0, 80);
  return (
    <>
      {condition !== undefined && (
        <button
          type="button"
          class="inline"
          aria-label={`Filter by this value of ${name}`}
          onClick={() => {
            onUsed();
            addCondition(condition);
          }}
        >
          filter
        </button>
      )}
      {column !== undefined && (
        <button
          type="button"
          class="inline"
          aria-label={`Show ${name} as a column`}
          onClick={() => {
            onUsed();
            setParams({ [COLUMN]: [...new Set([...route.value.params.getAll(COLUMN), column])] });
          }}
        >
          column
        </button>
      )}
    </>
  );
}
