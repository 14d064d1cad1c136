import { describe, expect, it } from "vitest";
import { gridOf, perStep } from "../src/charts/scale";
import type { TimedPoint } from "../src/charts/Bands";
import type { LatencySecond } from "../src/live/types";
import { examplesOf } from "../src/pages/latency/examples";
import { askedOf } from "../src/pages/latency/range";
import { joined, meanOf, withSecond } from "../src/pages/latency/seconds";

function second(t: number, system: string | null = null, mean = 1, count = 1): LatencySecond {
  const figures = { count, mean_ms: mean, p50_ms: mean, p90_ms: mean, p99_ms: mean, p999_ms: mean, max_ms: mean };
  return {
    t,
    agent: system === null ? null : "plant-1",
    system,
    count,
    failed: 0,
    hops: { system: figures, total: figures },
    cells: [[7, count]],
    error_ms: 0,
  };
}

function point(t: number): TimedPoint {
  return { t, count: 10, failed: 0, cells: [[7, 10]], mean_ms: 1, p50_ms: 1, p90_ms: 1, p99_ms: 1, p999_ms: 1, max_ms: 1 };
}

describe("seconds that are heard", () => {
  it("are each there once, in their order, also when they are told again after a gap", () => {
    let seconds: readonly LatencySecond[] = [];
    for (const t of [10, 11, 13, 12, 13, 11, 14]) {
      seconds = withSecond(seconds, second(t), 100);
    }
    expect(seconds.map((it) => it.t)).toEqual([10, 11, 12, 13, 14]);
  });

  it("are of as many systems as were called in one", () => {
    const seconds = [second(10, "erp"), second(10, "mes"), second(10, "erp")].reduce<readonly LatencySecond[]>(
      (all, one) => withSecond(all, one, 100),
      [],
    );
    expect(seconds).toHaveLength(2);
  });

  it("are forgotten when they are old", () => {
    expect(withSecond([second(10)], second(200), 100).map((it) => it.t)).toEqual([200]);
  });

  it("take the place of history from the first of them on", () => {
    const points = joined([point(0), point(10), point(20)], 10, [second(14), second(15)]);

    expect(points.map((it) => [it.t, it.span])).toEqual([
      [0, 10],
      [10, 4],
      [14, 1],
      [15, 1],
    ]);
    const grid = gridOf(points, 8, 18, 1).map((it) => it.point?.t ?? null);
    expect(grid).toEqual([0, 0, 10, 10, 10, 10, 14, 15, null, null]);
  });

  it("give means over systems by how many calls each had", () => {
    expect(meanOf([second(1, "erp", 10, 3), second(1, "mes", 2, 1)], "system")).toBe(8);
    expect(meanOf([], "system")).toBeNull();
    expect(meanOf([second(1)], "tunnel")).toBeNull();
  });
});

describe("a cell", () => {
  it("of a long interval is as strong as its share of each step", () => {
    expect(perStep(10, { t: 0, span: 10, cells: [] }, 1)).toBe(1);
    expect(perStep(10, { t: 0, cells: [] }, 10)).toBe(10);
  });

  it("leads to its calls, as far as they may be off it", () => {
    expect(
      examplesOf({ fromT: 60, toT: 70, lowMs: 10, highMs: 100, count: 3 }, { agent: "plant-1", system: "" }),
    ).toEqual({
      from: "1970-01-01T00:00:59.000Z",
      to: "1970-01-01T00:01:10.000Z",
      min_ms: "9.9",
      max_ms: "101",
      agent: "plant-1",
      system: undefined,
      of: "3",
    });
    expect(examplesOf({ fromT: 60, toT: 70, lowMs: 10, highMs: null, count: 1 }, { agent: "(none)" })).toMatchObject({
      agent: undefined,
      max_ms: undefined,
    });
  });
});

describe("a range that moves", () => {
  it("is asked for anew when another step is over, not with every second", () => {
    const of = (toT: number, seconds: number) => askedOf({ fromT: toT - seconds, toT, moving: true });
    expect(of(101, 300)).toEqual(of(108, 300));
    expect(of(101, 300).toT).toBe(110);
    expect(of(110, 300).toT).toBe(120);
    expect(of(1_000, 86_400).toT).toBe(1_200);
    const fixed = { fromT: 1.5, toT: 7, moving: false };
    expect(askedOf(fixed)).toBe(fixed);
  });
});
