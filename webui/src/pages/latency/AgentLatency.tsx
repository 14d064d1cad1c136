import { useUrl } from "../../parts/search";
import { LatencyCharts } from "./LatencyCharts";
import { Selection } from "./Selection";
import { useRange, useSeries } from "./useLatency";

export function AgentLatency({ agent }: { readonly agent: string }) {
  const [search] = useUrl();
  const range = useRange(search);
  const series = useSeries(range);
  return (
    <>
      <Selection range={range} series={series.data?.series ?? []} agentFixed={agent} />
      <LatencyCharts range={range} agent={agent} system={search["system"] ?? ""} />
    </>
  );
}
