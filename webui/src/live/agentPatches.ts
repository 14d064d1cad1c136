import type { components } from "../api/schema";
import type { AgentChange } from "./types";

export type Agent = components["schemas"]["Agent"];

/** The list with what changed laid over it; `unknown` if an agent came that it does not hold. */
export function applyAgents(
  agents: readonly Agent[],
  changes: readonly AgentChange[],
): { agents: readonly Agent[]; unknown: boolean } {
  const news = new Map(changes.map((change) => [change.id, change]));
  const next: Agent[] = [];
  for (const agent of agents) {
    const change = news.get(agent.id);
    news.delete(agent.id);
    if (change === undefined) {
      next.push(agent);
    } else if (change.removed !== true) {
      next.push(patched(agent, change));
    }
  }
  const unknown = [...news.values()].some((change) => change.removed !== true);
  return { agents: next, unknown };
}

/** Without the round trip, of which the list shows percentiles. */
function patched(agent: Agent, change: AgentChange): Agent {
  const patch = Object.entries(change).filter(([name]) => name !== "round_trip_ms" && name !== "removed");
  return { ...agent, ...(Object.fromEntries(patch) as Partial<Agent>) };
}
