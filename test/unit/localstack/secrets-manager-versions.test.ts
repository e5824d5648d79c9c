import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SecretsManagerError } from "../../../localstack/secrets-manager/errors.ts";
import {
  beginVersion,
  CURRENT,
  PENDING,
  PREVIOUS,
  putVersion,
  updateStage,
  type Version,
  withId,
  withStage,
} from "../../../localstack/secrets-manager/versions.ts";

const FIRST: Version = { id: "first", text: "1", createdAt: 0, stages: [CURRENT] };

/** The versions after one call, or before it where the call is refused. */
type Call = (versions: readonly Version[]) => readonly Version[];

const id = fc.constantFrom("first", "a", "b", "c");
const stage = fc.constantFrom(CURRENT, PREVIOUS, PENDING, "OWN");
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ id, text: fc.constantFrom("1", "2"), stages: fc.uniqueArray(stage, { minLength: 1 }) }).map(
    (put): Call =>
      (versions) =>
        putVersion(versions, { ...put, now: 1, arn: "arn" }),
  ),
  fc.record({ stage, from: fc.option(id, { nil: undefined }), to: fc.option(id, { nil: undefined }) }).map(
    (move): Call =>
      (versions) =>
        updateStage(versions, move),
  ),
  id.map(
    (token): Call =>
      (versions) =>
        withId(versions, token) === undefined ? beginVersion(versions, token, 1) : versions,
  ),
);

function apply(versions: readonly Version[], each: Call): readonly Version[] {
  try {
    return each(versions);
  } catch (error) {
    if (error instanceof SecretsManagerError) return versions;
    throw error;
  }
}

describe("the versions of a secret", () => {
  it("a secret has one current version with a value, and each label on one version at most, whatever was called", () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        let versions: readonly Version[] = [FIRST];
        for (const each of calls) {
          versions = apply(versions, each);
          const labels = versions.flatMap(({ stages }) => stages);
          expect(new Set(labels).size).toBe(labels.length);
          expect(withStage(versions, CURRENT)?.text).toBeDefined();
          expect(new Set(versions.map((version) => version.id)).size).toBe(versions.length);
        }
      }),
    );
  });

  it("the version that was current becomes the previous one, and the one before loses its label", () => {
    const second = putVersion([FIRST], { id: "second", text: "2", stages: [CURRENT], now: 1, arn: "arn" });
    const third = putVersion(second, { id: "third", text: "3", stages: [CURRENT], now: 2, arn: "arn" });

    expect(third.map(({ id, stages }) => [id, stages])).toEqual([
      ["first", []],
      ["second", [PREVIOUS]],
      ["third", [CURRENT]],
    ]);
  });

  it("a secret keeps 100 versions, and the oldest without a label go first", () => {
    let versions: Version[] = [FIRST];
    for (let count = 2; count <= 101; count += 1) {
      versions = putVersion(versions, { id: `${count}`, text: `${count}`, stages: [CURRENT], now: count, arn: "arn" });
      if (count === 100) expect(withId(versions, "first")).toBeDefined();
    }

    expect(versions).toHaveLength(100);
    expect(withId(versions, "first")).toBeUndefined();
    expect(withStage(versions, CURRENT)?.id).toBe("101");
    expect(withStage(versions, PREVIOUS)?.id).toBe("100");
  });
});
