import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, done } from "../../api/client";
import type { components } from "../../api/schema";
import { Ago, Badge, Button, Empty, Failure, Loading, type Tone } from "../../parts/basics";
import { DataTable } from "../../parts/DataTable";
import { Confirm } from "../../parts/Dialog";
import { Page, Panel } from "../../parts/Page";
import { tokensQuery, useAgents } from "../../parts/queries";
import { moment, plural } from "../../parts/words";
import { AgentActions } from "../agents/AgentActions";
import { NewToken, type Created } from "./NewToken";
import { StartCommand } from "./StartCommand";

type Token = components["schemas"]["EnrollmentToken"];

export default function EnrollmentPage() {
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<Created | null>(null);
  const { data: agents, error, refetch } = useAgents();
  const pending = (agents ?? []).filter(
    (agent) => agent.state === "pending" || agent.pending_fingerprint !== null,
  );
  return (
    <Page
      title="Enrollment"
      beside={
        <Button
          kind="primary"
          onClick={() => {
            setCreating(true);
          }}
        >
          Create a token…
        </Button>
      }
    >
      {created !== null && (
        <StartCommand
          created={created}
          onDone={() => {
            setCreated(null);
          }}
        />
      )}
      <Panel title={pending.length === 0 ? "Waiting for approval" : `Waiting for approval (${String(pending.length)})`} flush={pending.length > 0}>
        {agents === undefined ? (
          error === null ? (
            <Loading rows={2} />
          ) : (
            <Failure error={error} again={() => void refetch()} />
          )
        ) : pending.length === 0 ? (
          <p className="muted">
            Nobody waits. An agent that starts with a token appears here by itself.
          </p>
        ) : (
          <DataTable
            label="Agents that wait for approval"
            rows={pending}
            rowKey={(agent) => agent.id}
            columns={[
              {
                id: "agent",
                head: "Agent",
                cell: (agent) => (
                  <Link to="/agents/$agent" params={{ agent: agent.id }} className="strong">
                    {agent.id}
                  </Link>
                ),
              },
              { id: "site", head: "Site", cell: (agent) => agent.site, drop: 2 },
              {
                id: "print",
                head: "Fingerprint here",
                cell: (agent) => (
                  <span className="mono strong">{agent.pending_fingerprint ?? agent.fingerprint}</span>
                ),
              },
              {
                id: "from",
                head: "From",
                cell: (agent) => <span className="mono">{agent.remote_ip ?? "not connected"}</span>,
                drop: 1,
              },
              { id: "at", head: "Asked", cell: (agent) => <Ago at={agent.enrollment.at} />, drop: 2 },
              {
                id: "do",
                head: "",
                align: "end",
                cell: (agent) => (
                  <div className="row-actions">
                    <AgentActions agent={agent} />
                  </div>
                ),
              },
            ]}
          />
        )}
      </Panel>
      <Tokens />
      <Strangers />
      <NewToken
        open={creating}
        onClose={() => {
          setCreating(false);
        }}
        onCreated={(token) => {
          setCreating(false);
          setCreated(token);
        }}
      />
    </Page>
  );
}

/** What became of a token; why it was refused, where it was. */
function stateOf(token: Token): { word: string; tone: Tone } {
  if ((token.used_at as string | undefined) !== undefined) {
    return { word: "Used", tone: "ok" };
  }
  return Date.parse(token.expires_at) < Date.now()
    ? { word: "Expired", tone: "off" }
    : { word: "Open", tone: "info" };
}

function Tokens() {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(tokensQuery);
  const [ending, setEnding] = useState<Token | null>(null);
  if (error !== null) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  return (
    <Panel title="Tokens" flush={data !== undefined && data.length > 0}>
      {data === undefined ? (
        <Loading rows={3} />
      ) : data.length === 0 ? (
        <Empty title="No token yet">
          <p>A token lets one agent ask for trust, once, within its time. It is shown once and never stored.</p>
        </Empty>
      ) : (
        <DataTable
          label="Enrollment tokens"
          rows={data}
          rowKey={(token) => token.id}
          columns={[
            {
              id: "state",
              head: "State",
              cell: (token) => <Badge tone={stateOf(token).tone}>{stateOf(token).word}</Badge>,
            },
            {
              id: "for",
              head: "For",
              cell: (token) =>
                token.agent !== null ? (
                  <span>
                    {token.agent}
                    {token.reenroll && <span className="muted"> (again)</span>}
                  </span>
                ) : (
                  <span className="muted">{token.site === null ? "any name" : `any name at ${token.site}`}</span>
                ),
            },
            {
              id: "ends",
              head: "Ends",
              cell: (token) =>
                (token.used_at as string | undefined) === undefined ? (
                  <Ago at={token.expires_at} />
                ) : (
                  <>
                    by {token.used_by}, <Ago at={token.used_at} />
                  </>
                ),
            },
            {
              id: "refused",
              head: "Refused",
              cell: (token) =>
                token.refusals === 0 ? (
                  <span className="muted">–</span>
                ) : (
                  <span className="bad-text">
                    {plural(token.refusals, "time")}, last {token.last_refusal_reason} from {token.last_refusal_from ?? "?"}
                  </span>
                ),
              drop: 2,
            },
            { id: "by", head: "Created by", cell: (token) => token.created_by, drop: 1 },
            { id: "id", head: "Id", cell: (token) => <span className="mono">{token.id.slice(0, 8)}</span>, drop: 1 },
            {
              id: "do",
              head: "",
              align: "end",
              cell: (token) =>
                stateOf(token).word === "Open" && (
                  <Button
                    onClick={() => {
                      setEnding(token);
                    }}
                  >
                    Delete…
                  </Button>
                ),
            },
          ]}
        />
      )}
      <Confirm
        open={ending !== null}
        title="Delete this token"
        typed=""
        action="Delete"
        onClose={() => {
          setEnding(null);
        }}
        onConfirm={async () => {
          if (ending !== null) {
            await done(
              api.DELETE("/api/v1/enrollment-tokens/{id}", { params: { path: { id: ending.id } } }),
            );
            await queries.invalidateQueries({ queryKey: ["tokens"] });
          }
        }}
      >
        <p>Nobody can enroll with it any more. Agents that are enrolled already are not touched.</p>
      </Confirm>
    </Panel>
  );
}

/** Who came with a token that is none of the list: of another broker, deleted, or made up. */
function Strangers() {
  const { data } = useQuery({
    queryKey: ["audit", "strangers"],
    queryFn: () =>
      done(
        api.GET("/api/v1/audit", {
          params: { query: { event_type: "authentication.failure", reason: "unknown-token", limit: 50 } },
        }),
      ),
    meta: { live: true },
  });
  const rows = data ?? [];
  return rows.length === 0 ? null : (
    <Panel title="Refused with a token that is not known here" flush>
      <DataTable
        label="Refused with an unknown token"
        rows={rows}
        rowKey={(event) => String(event.id)}
        columns={[
          { id: "at", head: "When", cell: (event) => <span className="mono">{moment(event.timestamp)}</span> },
          { id: "from", head: "From", cell: (event) => <span className="mono">{event.ip_address ?? "–"}</span> },
          {
            id: "token",
            head: "Token",
            cell: (event) => <span className="mono">{event.resource_id?.slice(0, 8) ?? "–"}</span>,
          },
          { id: "why", head: "Why", cell: (event) => <span className="bad-text">{event.reason}</span>, drop: 2 },
        ]}
      />
    </Panel>
  );
}
