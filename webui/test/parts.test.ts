import { describe, expect, it } from "vitest";
import { gridOf, limitsOf, rowsInUse, strength } from "../src/charts/scale";
import { applyAgents, type Agent } from "../src/live/agentPatches";
import { lookEveryMs } from "../src/live/live";
import type { CallRow } from "../src/live/types";
import { labelChanges } from "../src/pages/agents/EditLabels";
import { isSetUp } from "../src/pages/agents/agentState";
import { fingerprintOf } from "../src/pages/enrollment/ApproveDialog";
import { labelsOf } from "../src/pages/enrollment/NewToken";
import { startCommand } from "../src/pages/enrollment/StartCommand";
import { queryOf, rangeOf } from "../src/pages/latency/range";
import { change, runOf } from "../src/pages/loadtests/result";
import { filterOf, merged, passes } from "../src/pages/requests/calls";
import { journeyOf } from "../src/pages/systems/journey";
import { DamagedPinsError, NO_PINS, readPins } from "../src/pages/systems/trust";
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

describe("the first run", () => {
  const agent = (members: Partial<Agent>) =>
    isSetUp({ state: "approved", systems: [], config_version: 0, online: false, connected_at: null, ...members } as Agent);

  it("is over once a system can be called, also while all agents are offline", () => {
    expect(agent({ online: true, systems: ["erp"] })).toBe(true);
    expect(agent({ config_version: 3 })).toBe(true);
    expect(agent({ connected_at: "2026-01-01T00:00:00Z" })).toBe(true);
  });

  it("goes on with an agent that has none", () => {
    expect(agent({ online: true, connected_at: "2026-01-01T00:00:00Z" })).toBe(false);
    expect(agent({})).toBe(false);
    expect(agent({ state: "pending", systems: ["erp"] })).toBe(false);
  });
});

describe("looking without a stream", () => {
  it("is the seldomer the more there is to fetch", () => {
    expect(lookEveryMs(3, 4)).toBe(5_000);
    expect(lookEveryMs(2_000, 4)).toBe(12_000);
    expect(lookEveryMs(10_000, 4)).toBe(60_000);
    expect(lookEveryMs(100_000, 4)).toBe(60_000);
    expect(lookEveryMs(3, 40)).toBe(20_000);
  });
});

describe("what a browser remembers of keys", () => {
  it("is read as it was written, and none is none", () => {
    const pins = { root: "r", agents: { "plant-1": { generation: 1, key: "k" } } };
    expect(readPins(JSON.stringify(pins))).toEqual(pins);
    expect(readPins(null)).toEqual(NO_PINS);
  });

  it.each(["", "{", "null", "[]", "7", '{"root":7,"agents":{}}', '{"root":null,"agents":{"a":{"key":"k"}}}'])(
    "says that it is damaged: %s",
    (text) => {
      expect(() => readPins(text)).toThrow(DamagedPinsError);
    },
  );
});

describe("calls", () => {
  const row = (members: Partial<CallRow>) =>
    ({ sequence: 1, agent: "plant-1", system: "erp", verdict: "ok", status: 200, total_ms: 12, ...members }) as CallRow;

  it("that are told pass by the filter that the broker lists by", () => {
    expect(passes(row({}), {})).toBe(true);
    expect(passes(row({}), { agent: "plant-1", system: "erp", min_ms: "12", max_ms: "12" })).toBe(true);
    expect(passes(row({}), { agent: "plant-2" })).toBe(false);
    expect(passes(row({ verdict: "deadline" }), { verdict: "failed" })).toBe(true);
    expect(passes(row({}), { verdict: "failed" })).toBe(false);
    expect(passes(row({ status: 503 }), { status: "5xx" })).toBe(true);
    expect(passes(row({ status: 503 }), { status: "502" })).toBe(false);
    expect(passes(row({ status: null }), { status: "5xx" })).toBe(false);
  });

  it("are listed once each, the newest first", () => {
    const rows = [row({ sequence: 2 }), row({ sequence: 5 })];
    expect(merged(rows, [row({ sequence: 3 }), row({ sequence: 5 })]).map((it) => it.sequence)).toEqual([5, 3, 2]);
    expect(filterOf({ agent: "", system: "erp", id: "7" })).toEqual({ system: "erp" });
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

  it("sends what changes of labels, and null for what goes away", () => {
    expect(labelChanges({ hall: "8", line: "blue", old: "x" }, { hall: "9", line: "blue", neu: "y" })).toEqual({
      old: null,
      hall: "9",
      neu: "y",
    });
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
    for (const reason of ["start-failed", "crash-loop", "missing-secret-reference"]) {
      expect(at("refused", reason)).toEqual(["done", "done", "done", "done", "bad"]);
    }
    for (const reason of ["destination-without-secrets", "schema-invalid", "start-failed-somehow", null]) {
      expect(at("refused", reason)).toEqual(["done", "done", "done", "bad", "later"]);
    }
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
