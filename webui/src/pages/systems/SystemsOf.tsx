import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { components } from "../../api/schema";
import { useCan } from "../../auth/session";
import type { Agent } from "../../live/agentPatches";
import { Ago, Badge, Empty, Failure, Loading, Note, type Tone } from "../../parts/basics";
import { DataTable, type Column } from "../../parts/DataTable";
import { Panel } from "../../parts/Page";
import { systemsQuery } from "../../parts/queries";

export type System = components["schemas"]["System"];

const TONES: Readonly<Record<string, Tone>> = {
  sealed: "info",
  buffered: "warn",
  delivered: "info",
  applied: "ok",
  refused: "bad",
  superseded: "off",
  removed: "off",
};

export function SystemBadge({ state, drift }: { readonly state: string; readonly drift: boolean }) {
  return (
    <>
      <Badge tone={TONES[state] ?? "off"}>{state.charAt(0).toUpperCase() + state.slice(1)}</Badge>
      {drift && <Badge tone="bad">Drift</Badge>}
    </>
  );
}

/** What is configured for one agent, and what its own file brings. */
export function SystemsOf({ agent }: { readonly agent: Agent }) {
  const can = useCan();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(systemsQuery(agent.id));
  const add = can("systems:update") && agent.state === "approved" && (
    <Link to="/agents/$agent/new-system" params={{ agent: agent.id }} className="button primary">
      Add a system
    </Link>
  );
  if (error !== null) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined) {
    return <Loading rows={3} />;
  }
  const own = agent.systems.filter((name) => !data.some((system) => system.system === name));
  return (
    <>
      {data.length === 0 ? (
        <Empty title="No system configured from here" action={add}>
          <p>A system is what can be called behind this agent: an ERP, a database, a machine.</p>
        </Empty>
      ) : (
        <Panel title="Configured systems" beside={add} flush>
          <DataTable
            label={`Systems of ${agent.id}`}
            columns={columnsOf(agent.id)}
            rows={data}
            rowKey={(system) => system.system}
            onOpen={(system) =>
              void navigate({
                to: "/agents/$agent/systems/$system",
                params: { agent: agent.id, system: system.system },
              })
            }
          />
        </Panel>
      )}
      {own.length > 0 && (
        <Note kind="info">
          The agent's own file brings {own.length === 1 ? "a system" : "systems"} besides:{" "}
          <strong>{own.join(", ")}</strong>.
        </Note>
      )}
    </>
  );
}

function columnsOf(agent: string): readonly Column<System>[] {
  return [
    {
      id: "system",
      head: "System",
      key: (system) => system.system,
      cell: (system) => (
        <Link
          to="/agents/$agent/systems/$system"
          params={{ agent, system: system.system }}
          className="strong"
          tabIndex={-1}
        >
          {system.system}
        </Link>
      ),
    },
    {
      id: "state",
      head: "State",
      cell: (system) => <SystemBadge state={system.state} drift={system.drift} />,
    },
    { id: "plugin", head: "Plugin", cell: (system) => system.plugin, drop: 3 },
    {
      id: "versions",
      head: "Newest / deployed / applied",
      align: "end",
      drop: 2,
      cell: (system) =>
        `${String(system.version)} / ${dash(system.deployed_version)} / ${dash(system.applied_version)}`,
    },
    {
      id: "by",
      head: "Changed",
      cell: (system) => (
        <>
          <Ago at={system.updated_at} /> <span className="muted">by {system.updated_by}</span>
        </>
      ),
      drop: 1,
    },
  ];
}

function dash(version: number): string {
  return version === 0 ? "–" : String(version);
}
