import type { Agent } from "../../live/agentPatches";
import type { Tone } from "../../parts/basics";
import type { Searchable } from "../../parts/filter";

/** How an agent is, in one word, and what to do next about it. */
export interface AgentHealth {
  readonly word: string;
  readonly tone: Tone;
  readonly order: number;
  readonly next: string;
}

export function healthOf(agent: Agent): AgentHealth {
  switch (agent.state) {
    case "pending":
      return { word: "Pending", tone: "info", order: 2, next: "Compare its fingerprint and approve it." };
    case "quarantined":
      return {
        word: "Quarantined",
        tone: "bad",
        order: 0,
        next: "Two machines seem to use one identity. Find out which is yours, then release it.",
      };
    case "revoked":
      return { word: "Revoked", tone: "off", order: 5, next: "It never comes back under this name." };
    case "rejected":
      return { word: "Rejected", tone: "off", order: 6, next: "Enroll it with a new token if it was a mistake." };
    case "approved":
      if (agent.pending_fingerprint !== null) {
        return {
          word: "New keys",
          tone: "info",
          order: 2,
          next: "It was enrolled anew: compare the new fingerprint and approve it.",
        };
      }
      if (agent.online) {
        return { word: "Online", tone: "ok", order: 4, next: "" };
      }
      return agent.connected_at === null && agent.availability_24h === 0
        ? {
            word: "Never seen",
            tone: "warn",
            order: 3,
            next: "It was approved and has not connected since: start it.",
          }
        : {
            word: "Offline",
            tone: "bad",
            order: 1,
            next: "It dials again by itself. Look whether its machine runs and reaches this broker on 443.",
          };
  }
}

/**
 * Whether systems can be called behind this agent. Those of its own file are known while it is connected:
 * one that was here before may bring some.
 */
export function isSetUp(agent: Agent): boolean {
  return (
    agent.state === "approved" &&
    (agent.systems.length > 0 || agent.config_version > 0 || (!agent.online && agent.connected_at !== null))
  );
}

const known = new WeakMap<Agent, Searchable>();

/** What a filter looks at; of each row once, since with 10,000 of them that is what takes time. */
export function searchable(agent: Agent): Searchable {
  const found = known.get(agent) ?? made(agent);
  known.set(agent, found);
  return found;
}

function made(agent: Agent): Searchable {
  const labels = Object.entries(agent.labels).map(([name, value]) => `${name}=${value}`.toLowerCase());
  const health = healthOf(agent).word.toLowerCase();
  return {
    words: [agent.id, agent.site, ...labels, agent.remote_ip ?? "", health, ...agent.systems]
      .join(" ")
      .toLowerCase(),
    named: {
      id: (value: string) => agent.id.toLowerCase() === value,
      site: (value: string) => agent.site.toLowerCase() === value,
      state: (value: string) => agent.state === value || health === value,
      online: (value: string) => agent.online === (value === "yes" || value === "true"),
      label: (value: string) =>
        value.includes("=") ? labels.includes(value) : labels.some((label) => label.startsWith(`${value}=`)),
      system: (value: string) => agent.systems.some((system) => system.toLowerCase() === value),
      has: (value: string) =>
        value === "backlog" ? agent.undelivered > 0 : value === "drift" && agent.config_version > agent.applied_version,
      ip: (value: string) => agent.remote_ip === value,
    },
  };
}
