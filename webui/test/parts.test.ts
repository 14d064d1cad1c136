import { describe, expect, it } from "vitest";
import { gridOf, limitsOf, rowsInUse, strength } from "../src/charts/scale";
import { applyAgents, type Agent } from "../src/live/agentPatches";
import { fingerprintOf } from "../src/pages/enrollment/ApproveDialog";
import { labelsOf } from "../src/pages/enrollment/NewToken";
import { startCommand } from "../src/pages/enrollment/StartCommand";
import { queryOf, rangeOf } from "../src/pages/latency/range";
import { change, runOf } from "../src/pages/loadtests/result";
import { journeyOf } from "../src/pages/systems/journey";
import { csvOf } from "../src/parts/csv";
import { sorted, type Column } from "../src/parts/DataTable";
import { ago, bytes, clock, ms, percent } from "../src/parts/words";

describe("words", () => {
  it("are the same for the same number everywhere", () => {
    expect([0.123, 4.25, 12.6, 999, 1_234, 12_345, null].map((it) => ms(it))).toEqual([
      "0.12 ms",
      "4.3 ms",
      "13 ms",
      "999 ms",
      "1.23 s",
      "12.3 s",
      "–",
    ]);
    expect([0, 0.0012, 0.5, 0.99999, 1, null].map((it) => percent(it))).toEqual([
      "0 %",
      "0.12 %",
      "50.0 %",
      "99.9 %",
      "100 %",
      "–",
    ]);
    expect(clock(3_725)).toBe("1:02:05");
    expect(bytes(1_536)).toBe("1.5 KiB");
    expect(ago(1_000_000, 1_090_000)).toBe("1 min ago");
    expect(ago(1_090_000, 1_000_000)).toBe("in 1 min");
  });
});

describe("a sorted table", () => {
  const columns: Column<{ id: string; n: number | null }>[] = [
    { id: "n", head: "n", key: (row) => row.n, cell: (row) => row.n },
  ];
  const rows = [{ id: "b", n: 1 }, { id: "c", n: null }, { id: "a", n: 1 }, { id: "d", n: 9 }];
  const ids = (sort: string) => sorted(rows, columns, sort, (row) => row.id).map((row) => row.id);

  it("puts what is not known last, both ways, and settles ties by name", () => {
    expect(ids("n")).toEqual(["a", "b", "d", "c"]);
    expect(ids("-n")).toEqual(["d", "a", "b", "c"]);
    expect(ids("none")).toEqual(["b", "c", "a", "d"]);
  });
});

describe("CSV", () => {
  it("quotes, and defuses formulas", () => {
    expect(csvOf([{ a: '=1+1', b: 'x"y', c: null, d: 3 }])).toBe('a,b,c,d\r\n\'=1+1,"x""y",,3\r\n');
  });
});

describe("charts", () => {
  const columns = [{ t: 10, cells: [[7, 2]] as const }, { t: 30, cells: [[9, 1]] as const }];

  it("draw a gap where nothing was", () => {
    expect(gridOf(columns, 10, 40, 10).map((it) => it.point?.t ?? null)).toEqual([10, null, 30]);
  });

  it("show the buckets in use and one more on each side", () => {
    expect(rowsInUse(columns, 44)).toEqual([6, 10]);
    expect(rowsInUse([], 44)).toEqual([0, 20]);
    expect(limitsOf(0, [0.1, 1])).toEqual([0, 0.1]);
    expect(limitsOf(2, [0.1, 1])).toEqual([1, null]);
  });

  it("let one slow call be seen beside many", () => {
    expect(strength(0, 1_000)).toBe(0);
    expect(strength(1, 1_000)).toBeGreaterThan(0.3);
    expect(strength(1_000, 1_000)).toBe(1);
  });

  it("take their range from the URL", () => {
    expect(rangeOf({ range: "5m" }, 1_000_000)).toEqual({ fromT: 700, toT: 1_000, moving: true });
    expect(rangeOf({ from: "1970-01-01T00:01:00Z", to: "1970-01-01T00:02:00Z" }, 0)).toEqual({
      fromT: 60,
      toT: 120,
      moving: false,
    });
    expect(rangeOf({ from: "nonsense", to: "1970-01-01T00:02:00Z" }, 900_000).moving).toBe(true);
    expect(queryOf({ fromT: 60, toT: 120, moving: false }, { agent: "", system: "erp" })).toBe(
      "from=1970-01-01T00%3A01%3A00.000Z&to=1970-01-01T00%3A02%3A00.000Z&system=erp",
    );
  });
});

describe("live changes of agents", () => {
  const agents = [{ id: "a", online: false }, { id: "b", online: true }] as unknown as Agent[];

  it("are laid over the list", () => {
    const { agents: next, unknown } = applyAgents(agents, [
      { id: "a", online: true, round_trip_ms: 3 },
      { id: "b", removed: true },
    ]);

    expect(next).toEqual([{ id: "a", online: true }]);
    expect(unknown).toBe(false);
    expect(applyAgents(agents, [{ id: "new", online: true }]).unknown).toBe(true);
  });
});

describe("enrolling", () => {
  it("takes a fingerprint however it is typed", () => {
    expect(fingerprintOf(" ab12 cd34 ")).toBe("AB12-CD34");
    expect(fingerprintOf("AB12-CD34")).toBe("AB12-CD34");
    expect(fingerprintOf("AB12")).toBe("AB12");
  });

  it("reads labels", () => {
    expect(labelsOf("hall=8, line = blue ,")).toEqual({ hall: "8", line: "blue" });
    expect(labelsOf("hall")).toBeNull();
    expect(labelsOf("=8")).toBeNull();
  });

  it("keeps the token out of the arguments", () => {
    const [command, token] = startCommand("plant-7", "pen1.x").split("\n");

    expect(command).not.toContain("pen1.");
    expect(token).toBe("pen1.x");
  });
});

describe("the way of a version", () => {
  const at = (state: string, reason: string | null = null) => journeyOf(state, reason).map((stop) => stop.at);

  it("shows how far it came", () => {
    expect(at("sealed")).toEqual(["done", "later", "later", "later", "later"]);
    expect(at("buffered")).toEqual(["done", "now", "later", "later", "later"]);
    expect(at("delivered")).toEqual(["done", "done", "now", "later", "later"]);
    expect(at("applied")).toEqual(["done", "done", "done", "done", "done"]);
  });

  it("shows where it was refused", () => {
    expect(at("refused", "bad-signature")).toEqual(["done", "done", "done", "bad", "later"]);
    expect(at("refused", "start-failed")).toEqual(["done", "done", "done", "done", "bad"]);
  });
});

describe("a result of the harness", () => {
  it("is refused with a reason when it is something else", () => {
    expect(() => runOf("nonsense")).toThrow(/no JSON/);
    expect(() => runOf('{"format":2}')).toThrow(/format 1, found 2/);
    expect(() => runOf('{"format":1}')).toThrow(/scenario/);
    expect(runOf('{"format":1,"scenario":"steady","targets":[]}').valid).toBe(false);
    expect(change(110, 100)).toBeCloseTo(0.1);
    expect(change(1, undefined)).toBeNull();
  });
});
