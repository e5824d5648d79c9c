import { expect, it } from "vitest";
import { createOneByOne } from "../../../functions/notify/one-by-one.ts";

it("works go one after the other in the order in which they asked, also behind one that fails", async () => {
  const take = createOneByOne();
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const works = [
    take(async () => {
      seen.push("first begins");
      await first.promise;
      seen.push("first ends");
      throw new Error("It fails.");
    }),
    take(async () => seen.push("second")),
    take(async () => seen.push("third")),
  ];
  await new Promise((resolve) => void setImmediate(resolve));
  expect(seen).toEqual(["first begins"]);

  first.resolve();
  const outcomes = await Promise.allSettled(works);

  expect(seen).toEqual(["first begins", "first ends", "second", "third"]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
});
