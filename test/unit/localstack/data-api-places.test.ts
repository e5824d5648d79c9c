import { expect, it } from "vitest";
import { createPlaces } from "../../../localstack/data-api/places.ts";

it("places are taken by as many callers as there are, and then by the one that has waited longest", async () => {
  const places = createPlaces(2);
  const taken: string[] = [];
  const take = async (name: string) => {
    if (await places.take(60_000)) taken.push(name);
  };

  await Promise.all([take("a"), take("b")]);
  const [c, d] = [take("c"), take("d")];
  expect(taken).toEqual(["a", "b"]);
  places.giveBack();
  await c;
  expect(taken).toEqual(["a", "b", "c"]);
  places.giveBack();
  await d;
  expect(taken).toEqual(["a", "b", "c", "d"]);
});

it("places that are not given back in time are not taken, and not lost", async () => {
  const places = createPlaces(1);
  await places.take(60_000);

  expect(await places.take(1)).toBe(false);

  places.giveBack();
  expect(await places.take(1)).toBe(true);
  expect(await places.take(1)).toBe(false);
});
