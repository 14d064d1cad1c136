import { SelectField } from "../../parts/basics";
import { useUrl } from "../../parts/search";
import { hopName } from "../../charts/Waterfall";
import { HOPS, type Series } from "../../live/types";
import { RANGES, type Range } from "./range";
import { moment } from "../../parts/words";

/** Which agent, which system, which time; all of it in the URL. */
export function Selection({
  range,
  series,
  agentFixed,
  systemShown,
  hops = false,
}: {
  readonly range: Range;
  readonly series: readonly Series[];
  readonly agentFixed?: string;
  readonly systemShown?: string;
  /** Whether one hop can be chosen. */
  readonly hops?: boolean;
}) {
  const [search, setSearch] = useUrl();
  const agent = agentFixed ?? search["agent"] ?? "";
  const system = systemShown ?? search["system"] ?? "";
  const agents = withChosen([...new Set(series.map((it) => it.agent))], agent);
  const systems = withChosen(
    [...new Set(series.filter((it) => agent === "" || it.agent === agent).map((it) => it.system))],
    system,
  );
  return (
    <div className="selection">
      {agentFixed === undefined && (
        <SelectField
          label="Agent"
          value={agent}
          options={[["", "All agents"], ...agents.map((it) => [it, it] as const)]}
          onChange={(next) => {
            setSearch({ agent: next, system: undefined });
          }}
        />
      )}
      <SelectField
        label="System"
        value={system}
        options={[["", "All systems"], ...systems.map((it) => [it, it] as const)]}
        onChange={(next) => {
          setSearch({ system: next });
        }}
      />
      {hops && (
        <SelectField
          label="Hop"
          value={search["hop"] ?? ""}
          options={[["", "Total"], ...HOPS.map((hop) => [hop, hopName(hop)] as const)]}
          onChange={(next) => {
            setSearch({ hop: next });
          }}
        />
      )}
      <div className="field">
        <span className="label-like" id="range-label">
          Time
        </span>
        <div className="segments" role="group" aria-labelledby="range-label">
          {RANGES.map(([id, name]) => (
            <button
              key={id}
              type="button"
              aria-pressed={range.moving && (search["range"] ?? "15m") === id}
              onClick={() => {
                setSearch({ range: id, from: undefined, to: undefined });
              }}
            >
              {name}
            </button>
          ))}
        </div>
      </div>
      {!range.moving && (
        <p className="muted fixed-range">
          {moment(range.fromT * 1000)} to {moment(range.toT * 1000)}
        </p>
      )}
    </div>
  );
}

/** What is chosen stays to be seen, also when it had no call of late. */
function withChosen(all: readonly string[], chosen: string): readonly string[] {
  return chosen === "" || all.includes(chosen) ? all : [...all, chosen];
}
