import { useUrl } from "../../parts/search";
import { LatencyCharts } from "./LatencyCharts";
import { Selection } from "./Selection";
import { useRange, useSeries } from "./useLatency";

export function AgentLatency({ agent }: { readonly agent: string }) {
  const [search] = useUrl();
  const range = useRange(search);
  const series = useSeries(range);
  const systems = (series.data?.series ?? []).filter((it) => it.agent === agent).map((it) => it.system);
  // The only one is meant, and is told by the second.
  const system = search["system"] ?? (systems.length === 1 ? systems[0] : undefined) ?? "";
  return (
    <>
      <Selection range={range} series={series.data?.series ?? []} agentFixed={agent} systemShown={system} />
      <LatencyCharts range={range} agent={agent} system={system} />
    </>
  );
}
