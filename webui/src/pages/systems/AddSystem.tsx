import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Agent } from "../../live/agentPatches";
import { Button, TextField } from "../../parts/basics";
import { Dialog } from "../../parts/Dialog";
import { matches, termsOf } from "../../parts/filter";
import { plural } from "../../parts/words";
import { searchable } from "../agents/agentState";

/** So many agents are offered at once; typing finds the others. */
const MOST_OFFERED = 8;

/** The way to a new system. It is behind an agent, which has to be chosen unless there is one only. */
export function AddSystem({ agents }: { readonly agents: readonly Agent[] }) {
  const [choosing, setChoosing] = useState(false);
  const only = agents.length === 1 ? agents[0] : undefined;
  if (only !== undefined) {
    return (
      <Link to="/agents/$agent/new-system" params={{ agent: only.id }} className="button primary">
        Add a system
      </Link>
    );
  }
  return (
    <>
      <Button
        kind="primary"
        onClick={() => {
          setChoosing(true);
        }}
      >
        Add a system…
      </Button>
      <Dialog
        open={choosing}
        title="Add a system"
        description="Which agent reaches it? It is the one in the same network as the system."
        onClose={() => {
          setChoosing(false);
        }}
      >
        <Choice agents={agents} />
      </Dialog>
    </>
  );
}

function Choice({ agents }: { readonly agents: readonly Agent[] }) {
  const [query, setQuery] = useState("");
  const found = agents.filter((agent) => matches(searchable(agent), termsOf(query)));
  return (
    <>
      <TextField label="Agent" type="search" placeholder="Name, site:berlin, label:hall=8" value={query} onChange={setQuery} autoFocus />
      <ul className="plain-list" aria-label="Agents">
        {found.slice(0, MOST_OFFERED).map((agent) => (
          <li key={agent.id}>
            <Link to="/agents/$agent/new-system" params={{ agent: agent.id }} className="choice">
              <span className="strong">{agent.id}</span> <span className="muted">{agent.site}</span>
            </Link>
          </li>
        ))}
      </ul>
      <p className="muted" role="status">
        {found.length > MOST_OFFERED
          ? `${plural(found.length - MOST_OFFERED, "more agent")}: type a part of the name.`
          : found.length === 0
            ? "No approved agent is like that."
            : ""}
      </p>
    </>
  );
}
