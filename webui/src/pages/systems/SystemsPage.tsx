import { useQueries } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useCan } from "../../auth/session";
import { Empty, Failure, Loading, Note } from "../../parts/basics";
import { DataTable, sorted, type Column } from "../../parts/DataTable";
import { matches, termsOf } from "../../parts/filter";
import { FilterBar } from "../../parts/FilterBar";
import { Page, Panel } from "../../parts/Page";
import { systemsQuery, useAgents } from "../../parts/queries";
import { useUrl } from "../../parts/search";
import { plural } from "../../parts/words";
import { searchable } from "../agents/agentState";
import { AddSystem } from "./AddSystem";
import { SystemBadge, type System } from "./SystemsOf";

/** Each agent is a call of its own: so many at most, and a line that says so. */
const MOST_AGENTS = 40;

interface Row {
  readonly agent: string;
  readonly site: string;
  readonly name: string;
  readonly configured: System | null;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: "system",
    head: "System",
    key: (row) => row.name,
    cell: (row) =>
      row.configured === null ? (
        <span className="strong">{row.name}</span>
      ) : (
        <Link
          to="/agents/$agent/systems/$system"
          params={{ agent: row.agent, system: row.name }}
          className="strong"
          tabIndex={-1}
        >
          {row.name}
        </Link>
      ),
  },
  {
    id: "state",
    head: "State",
    key: (row) => row.configured?.state ?? "",
    cell: (row) =>
      row.configured === null ? (
        <span className="muted">in the agent's file</span>
      ) : (
        <SystemBadge state={row.configured.state} drift={row.configured.drift} />
      ),
  },
  {
    id: "agent",
    head: "Agent",
    key: (row) => row.agent,
    cell: (row) => (
      <Link to="/agents/$agent" params={{ agent: row.agent }}>
        {row.agent}
      </Link>
    ),
  },
  { id: "site", head: "Site", key: (row) => row.site, cell: (row) => row.site, drop: 2 },
  {
    id: "plugin",
    head: "Plugin",
    key: (row) => row.configured?.plugin ?? "",
    cell: (row) => row.configured?.plugin ?? "–",
    drop: 2,
  },
  {
    id: "version",
    head: "Applied",
    key: (row) => row.configured?.applied_version ?? null,
    align: "end",
    cell: (row) =>
      row.configured === null || row.configured.applied_version === 0
        ? "–"
        : `v${String(row.configured.applied_version)}`,
    drop: 3,
  },
];

export default function SystemsPage() {
  const can = useCan();
  const navigate = useNavigate();
  const [search, setSearch] = useUrl();
  const { data: agents, error, refetch } = useAgents();
  const query = search["q"] ?? "";
  const approved = useMemo(() => (agents ?? []).filter((agent) => agent.state === "approved"), [agents]);
  const looked = useMemo(() => {
    // Terms about agents narrow which ones are asked.
    const about = termsOf(query).filter((term) => ["site", "label", "id", "online"].includes(term.name));
    return approved.filter((agent) => matches(searchable(agent), about)).slice(0, MOST_AGENTS);
  }, [approved, query]);
  const answers = useQueries({ queries: looked.map((agent) => systemsQuery(agent.id)) });
  const loading = answers.some((answer) => answer.isPending);
  const failed = answers.filter((answer) => answer.error !== null);

  const rows = looked.flatMap((agent, index): Row[] => {
    const configured = answers[index]?.data ?? [];
    const own = agent.systems.filter((name) => !configured.some((it) => it.system === name));
    return [
      ...configured.map((it) => ({ agent: agent.id, site: agent.site, name: it.system, configured: it })),
      ...own.map((name) => ({ agent: agent.id, site: agent.site, name, configured: null })),
    ];
  });
  const others = termsOf(query).filter((term) => !["site", "label", "id", "online"].includes(term.name));
  const found = sorted(
    rows.filter((row) =>
      matches(
        {
          words: `${row.name} ${row.agent} ${row.site} ${row.configured?.state ?? ""}`.toLowerCase(),
          named: {
            agent: (value) => row.agent.toLowerCase() === value,
            state: (value) => row.configured?.state === value,
            plugin: (value) => row.configured?.plugin === value,
          },
        },
        others,
      ),
    ),
    COLUMNS,
    search["sort"] ?? "system",
    (row) => `${row.name} ${row.agent}`,
  );

  return (
    <Page
      title="Systems"
      beside={can("systems:update") && approved.length > 0 && <AddSystem agents={approved} />}
    >
      {error !== null && <Failure error={error} again={() => void refetch()} />}
      {failed[0] !== undefined && (
        <Failure error={failed[0].error} again={() => void Promise.all(failed.map((answer) => answer.refetch()))} />
      )}
      {agents === undefined || (loading && rows.length === 0) ? (
        error === null && <Loading />
      ) : approved.length === 0 ? (
        <Empty
          title="No system yet"
          action={
            can("enrollment-tokens:manage") && (
              <Link to="/enrollment" className="button primary">
                Enroll an agent
              </Link>
            )
          }
        >
          <p>Systems are behind agents: enroll an agent first.</p>
        </Empty>
      ) : (
        <Panel flush>
          <FilterBar
            query={query}
            onQuery={(q) => {
              setSearch({ q });
            }}
            placeholder="Filter: name, agent:plant-7, site:berlin, state:refused"
            hint="Words, or agent:, site:, label:, state:, plugin:"
            shown={plural(found.length, "system")}
          />
          {approved.length > MOST_AGENTS && looked.length === MOST_AGENTS && (
            <Note kind="info">
              These are the systems of {MOST_AGENTS} of {approved.length} agents. Filter by site:, label: or id: to see
              others.
            </Note>
          )}
          {found.length === 0 ? (
            <Empty title={rows.length === 0 ? "No system configured yet" : "No system is like that"}>
              <p>
                {rows.length === 0
                  ? "A system is what can be called behind an agent: an ERP, a database, a machine. Add the first one."
                  : "Clear the filter to see all of them."}
              </p>
            </Empty>
          ) : (
            <DataTable
              label="Systems"
              columns={COLUMNS}
              rows={found}
              rowKey={(row) => `${row.agent}/${row.name}`}
              sort={search["sort"] ?? "system"}
              onSort={(sort) => {
                setSearch({ sort });
              }}
              onOpen={(row) =>
                void (row.configured === null
                  ? navigate({ to: "/agents/$agent", params: { agent: row.agent }, search: { tab: "systems" } as never })
                  : navigate({
                      to: "/agents/$agent/systems/$system",
                      params: { agent: row.agent, system: row.name },
                    }))
              }
            />
          )}
        </Panel>
      )}
    </Page>
  );
}
