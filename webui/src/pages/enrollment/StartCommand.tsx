import { Link } from "@tanstack/react-router";
import { Ago, Badge, Button, CodeBlock } from "../../parts/basics";
import { Panel } from "../../parts/Page";
import { useAgents } from "../../parts/queries";
import { AgentActions } from "../agents/AgentActions";
import { healthOf } from "../agents/agentState";
import type { Created } from "./NewToken";

/** The token as a here-document: it stands in no argument list, where every user could read it. */
export function startCommand(agent: string, token: string): string {
  return `./penstock agent --data .penstock/${agent} --token-stdin <<'TOKEN'\n${token}\nTOKEN`;
}

/** Leads from the token, which is shown this once, to an agent that is online. */
export function StartCommand({
  created,
  onDone,
}: {
  readonly created: Created;
  readonly onDone: () => void;
}) {
  const { data: agents } = useAgents();
  const agent = agents?.find((it) => it.id === created.agent);
  const waits = agent !== undefined && (agent.state === "pending" || agent.pending_fingerprint !== null);
  const approved = agent?.state === "approved" && agent.pending_fingerprint === null;
  return (
    <Panel
      title={`Start ${created.agent}`}
      beside={<Button onClick={onDone}>{approved ? "Done" : "Hide the token"}</Button>}
    >
      <ol className="steps">
        <li className={agent === undefined ? "now" : "done"}>
          <h3>Run this on the agent's machine</h3>
          <p className="muted">
            The token is in it, shown this once and stored nowhere. It works once and ends{" "}
            <Ago at={created.expires_at} />.
          </p>
          <CodeBlock text={startCommand(created.agent, created.token)} label="Command that starts the agent" />
        </li>
        <li className={waits ? "now" : approved ? "done" : "later"}>
          <h3>Compare its fingerprint and approve</h3>
          {agent === undefined ? (
            <p className="muted">The agent appears here by itself, within seconds of its start.</p>
          ) : waits ? (
            <div className="state-line">
              <Badge tone="info">Pending</Badge>
              <span>
                here: <strong className="mono">{agent.pending_fingerprint ?? agent.fingerprint}</strong>
              </span>
              <AgentActions agent={agent} />
            </div>
          ) : (
            <p>
              {approved ? "Approved by " : "Decided: "}
              {agent.enrollment.approved_by ?? agent.state}.
            </p>
          )}
        </li>
        <li className={approved ? (agent.online ? "done" : "now") : "later"}>
          <h3>It connects</h3>
          {approved ? (
            <p className="state-line">
              <Badge tone={healthOf(agent).tone}>{healthOf(agent).word}</Badge>
              {agent.online && (
                <Link
                  to="/agents/$agent/new-system"
                  params={{ agent: agent.id }}
                  className="button primary"
                >
                  Add its first system
                </Link>
              )}
            </p>
          ) : (
            <p className="muted">After the approval, by itself.</p>
          )}
        </li>
      </ol>
    </Panel>
  );
}
