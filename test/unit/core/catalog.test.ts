import { describe, expect, it } from "vitest";
import * as z from "zod";
import { type EventType, inVersionOrder, toCatalog } from "../../../functions/core/catalog.ts";

describe("the files of catalog/", () => {
  it("are in the order of the versions: the file without a number first, numbers by value", () => {
    const files = ["order-10.ts", "order-2.ts", "order.ts", "order-placed.ts", "log-entry.ts"];

    expect(inVersionOrder(files)).toEqual(["log-entry.ts", "order.ts", "order-2.ts", "order-10.ts", "order-placed.ts"]);
  });

  it("give events without dataschema the version of the file without a number", () => {
    const types: Record<string, EventType> = {
      "order.ts": { file: "catalog/order.ts", type: "order", dataschema: "urn:1", data: z.unknown() },
      "order-2.ts": { file: "catalog/order-2.ts", type: "order", dataschema: "urn:2", data: z.unknown() },
    };

    const catalog = toCatalog(inVersionOrder(Object.keys(types)).map((file) => types[file] as EventType));

    expect(catalog.get("order")?.map(({ dataschema }) => dataschema)).toEqual(["urn:1", "urn:2"]);
  });
});
