import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { acted, api } from "../../api/client";
import { useCan } from "../../auth/session";
import type { Agent } from "../../live/agentPatches";
import { Button } from "../../parts/basics";
import { Confirm } from "../../parts/Dialog";
import { plural } from "../../parts/words";
import { ApproveDialog } from "../enrollment/ApproveDialog";

type Doing = "approve" | "reject" | "revoke" | "disconnect" | "release";

/** What may be done with one agent; absent for those who may not read, explained for those who may not act. */
export function AgentActions({ agent }: { readonly agent: Agent }) {
  const can = useCan();
  const queries = useQueryClient();
  const [doing, setDoing] = useState<Doing | null>(null);
  const why = can("agents:manage") ? undefined : "Needs the role Admin";
  const close = () => {
    setDoing(null);
  };
  const navigate = useNavigate();
  const act = async (verb: "reject" | "revoke" | "disconnect") => {
    const change = await acted(
      api.POST(`/api/v1/agents/{id}/${verb}` as "/api/v1/agents/{id}/revoke", {
        params: { path: { id: agent.id } },
      }),
    );
    await queries.invalidateQueries({ queryKey: ["agents"] });
    await queries.invalidateQueries({ queryKey: ["agent", agent.id] });
    if (change !== null) {
      // One person revokes so many an hour; more wait for a second one.
      await navigate({ to: "/changes", search: { id: change } as never });
    }
  };
  const waits = agent.state === "pending" || agent.pending_fingerprint !== null;
  const systems = agent.systems.length;
  return (
    <>
      {waits && (
        <Button
          kind="primary"
          why={why}
          onClick={() => {
            setDoing("approve");
          }}
        >
          Approve…
        </Button>
      )}
      {agent.state === "pending" && (
        <Button
          why={why}
          onClick={() => {
            setDoing("reject");
          }}
        >
          Reject…
        </Button>
      )}
      {agent.state === "quarantined" && (
        <Button
          kind="primary"
          why={why}
          onClick={() => {
            setDoing("release");
          }}
        >
          Release…
        </Button>
      )}
      {agent.online && agent.state === "approved" && (
        <Button
          why={why}
          onClick={() => {
            setDoing("disconnect");
          }}
        >
          Disconnect…
        </Button>
      )}
      {(agent.state === "approved" || agent.state === "quarantined") && (
        <Button
          kind="danger"
          why={why}
          onClick={() => {
            setDoing("revoke");
          }}
        >
          Revoke…
        </Button>
      )}
      <ApproveDialog
        agent={agent}
        release={doing === "release"}
        open={doing === "approve" || doing === "release"}
        onClose={close}
      />
      <Confirm
        open={doing === "reject"}
        title={`Reject ${agent.id}`}
        typed=""
        action="Reject"
        onConfirm={() => act("reject")}
        onClose={close}
      >
        <p>
          The agent ends and keeps nothing. Its token is spent: to enroll that machine later, create
          another token.
        </p>
      </Confirm>
      <Confirm
        open={doing === "disconnect"}
        title={`Disconnect ${agent.id}`}
        typed=""
        action="Disconnect"
        onConfirm={() => act("disconnect")}
        onClose={close}
      >
        <p>
          Closes {plural(agent.tunnels, "tunnel")} and cuts the calls that run on them. The agent dials
          again within a second.
        </p>
      </Confirm>
      <Confirm
        open={doing === "revoke"}
        title={`Revoke ${agent.id}`}
        typed={agent.id}
        action="Revoke for good"
        onConfirm={() => act("revoke")}
        onClose={close}
      >
        <p>This cannot be undone:</p>
        <ul>
          <li>
            {agent.online ? `${plural(agent.tunnels, "tunnel")} closed within a second` : "No tunnel is open"},
            running calls cut
          </li>
          <li>
            {systems === 0
              ? "No system offered at the moment"
              : `${plural(systems, "system")} at ${agent.site} not callable by it: ${agent.systems.join(", ")}`}
          </li>
          {agent.undelivered > 0 && <li>{plural(agent.undelivered, "waiting message")} dropped</li>}
          <li>The agent wipes what it holds and ends; the name is never enrolled again</li>
        </ul>
      </Confirm>
    </>
  );
}
