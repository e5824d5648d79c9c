import { beforeEach, describe, expect, it } from "vitest";
import { IDEMPOTENCY_HOURS, type JobStart, type JobStarts } from "../../../functions/core/idempotency.ts";
import { soon } from "../database.ts";

/** A store of starts, and a way to let hours pass. */
type Place = { starts: JobStarts; pass: (hours: number) => Promise<void> };

const start = (changes: Partial<JobStart> = {}): JobStart => ({
  tenant: "acme",
  id: "start_1",
  job: "rpl_1",
  request: "r-1",
  ...changes,
});

/** The contract of JobStarts, for the table and for the fake. */
export function jobStartsConformance(open: () => Promise<Place>): void {
  describe("starts of jobs under idempotency keys", () => {
    let place: Place;
    beforeEach(async () => {
      place = await open();
    });

    it("the first start is kept, and a second one under its id answers the first", async () => {
      expect(await place.starts.keep(start(), soon())).toMatchObject({ job: "rpl_1", request: "r-1" });
      expect(await place.starts.keep(start({ job: "rpl_2", request: "r-2" }), soon())).toMatchObject({
        job: "rpl_1",
        request: "r-1",
      });
    });

    it("the same id of another tenant is another start", async () => {
      await place.starts.keep(start(), soon());

      expect(await place.starts.keep(start({ tenant: "other", job: "rpl_2" }), soon())).toMatchObject({ job: "rpl_2" });
    });

    it("of many starts at once one is kept", async () => {
      const kept = await Promise.all(
        Array.from({ length: 8 }, (_, at) => place.starts.keep(start({ job: `rpl_${at}` }), soon())),
      );

      expect(new Set(kept.map(({ job }) => job)).size).toBe(1);
    });

    it("a start is kept for its hours, and another takes its place then", async () => {
      await place.starts.keep(start(), soon());
      await place.pass(IDEMPOTENCY_HOURS - 1);
      expect(await place.starts.keep(start({ job: "rpl_2" }), soon())).toMatchObject({ job: "rpl_1" });

      await place.pass(2);

      expect(await place.starts.keep(start({ job: "rpl_2" }), soon())).toMatchObject({ job: "rpl_2" });
    });

    it("a start that is forgotten is kept no longer, and that of another job stays", async () => {
      await place.starts.keep(start(), soon());
      await place.starts.forget(start({ job: "rpl_2" }), soon());
      expect(await place.starts.keep(start({ job: "rpl_2" }), soon())).toMatchObject({ job: "rpl_1" });

      await place.starts.forget(start(), soon());

      expect(await place.starts.keep(start({ job: "rpl_2" }), soon())).toMatchObject({ job: "rpl_2" });
    });
  });
}
