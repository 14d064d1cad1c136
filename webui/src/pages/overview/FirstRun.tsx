import { Link } from "@tanstack/react-router";
import { useCan } from "../../auth/session";
import type { Agent } from "../../live/agentPatches";
import { Badge } from "../../parts/basics";
import { Page, Panel } from "../../parts/Page";
import { AgentActions } from "../agents/AgentActions";
import { healthOf } from "../agents/agentState";

/** A broker without a system that can be called: each step towards one, and where it stands. */
export function FirstRun({ agents }: { readonly agents: readonly Agent[] }) {
  const can = useCan();
  const waiting = agents.filter((agent) => agent.state === "pending");
  const approved = agents.filter((agent) => agent.state === "approved");
  const first = approved.find((agent) => agent.online) ?? approved[0];
  const at = agents.filter((it) => it.state === "pending" || it.state === "approved").length === 0 ? 1 : approved.length === 0 ? 2 : 3;
  return (
    <Page title="Welcome">
      <Panel title="Three steps to the first call">
        <ol className="steps">
          <li className={at === 1 ? "now" : "done"}>
            <h3>Start an agent on premise</h3>
            <p className="muted">
              Create a token, copy the command that comes with it, run it on a machine that reaches your system. The
              agent dials out to this broker; nothing has to be opened for it.
            </p>
            {can("enrollment-tokens:manage") ? (
              <Link to="/enrollment" className={at === 1 ? "button primary" : "button plain"}>
                Create a token
              </Link>
            ) : (
              <p>An Admin does this.</p>
            )}
          </li>
          <li className={at === 2 ? "now" : at > 2 ? "done" : "later"}>
            <h3>Compare its fingerprint and approve it</h3>
            {waiting.length === 0 ? (
              <p className="muted">
                {approved.length > 0 ? "Approved." : "It appears here by itself, within seconds of its start."}
              </p>
            ) : (
              waiting.map((agent) => (
                <div key={agent.id} className="state-line">
                  <Badge tone="info">Pending</Badge>
                  <strong>{agent.id}</strong>
                  <span>
                    here: <strong className="mono">{agent.fingerprint}</strong>
                  </span>
                  <AgentActions agent={agent} />
                </div>
              ))
            )}
          </li>
          <li className={at === 3 ? "now" : "later"}>
            <h3>Add its first system, test it, deploy it</h3>
            <p className="muted">
              Say where the system is and what may be called. Passwords are sealed in this browser: only the agent can
              open them. Then call it with the token of a service account.
            </p>
            {first !== undefined && (
              <div className="state-line">
                <Badge tone={healthOf(first).tone}>{healthOf(first).word}</Badge>
                <strong>{first.id}</strong>
                {can("systems:update") && (
                  <Link
                    to="/agents/$agent/new-system"
                    params={{ agent: first.id }}
                    className="button primary"
                  >
                    Add a system
                  </Link>
                )}
              </div>
            )}
          </li>
        </ol>
      </Panel>
    </Page>
  );
}
