export interface PageEntry {
  readonly to: string;
  readonly title: string;
  readonly permission: string;
  readonly key: string;
  readonly icon: string;
  /** Begins a group. */
  readonly first?: boolean;
  /** For those who may see all agents. */
  readonly allAgents?: boolean;
}

/** What stands in the navigation, for whom, and by which key after `g`. */
export const PAGES: readonly PageEntry[] = [
  { to: "/", title: "Overview", permission: "agents:read", key: "o", icon: "M2 9h4v5H2zM7 2h3v12H7zM11 6h3v8h-3z" },
  { to: "/latency", title: "Latency", permission: "dashboards:read", key: "l", icon: "M1 12c3 0 3-8 6-8s2 6 4 6 2-4 4-4" },
  { to: "/hops", title: "Hops", permission: "dashboards:read", key: "h", icon: "M2 4h5M5 8h6M9 12h5" },
  { to: "/requests", title: "Requests", permission: "requests:read", key: "r", icon: "M2 5h9l-3-3M14 11H5l3 3" },
  { to: "/alarms", title: "Alarms", permission: "alarms:read", key: "m", icon: "M8 2 1.5 13.5h13zM8 6.5v3M8 11.5v.5" },
  { to: "/agents", title: "Agents", permission: "agents:read", key: "a", icon: "M2 3h12v4H2zM2 9h12v4H2zM4.5 5h.5M4.5 11h.5", first: true },
  { to: "/systems", title: "Systems", permission: "systems:read", key: "s", icon: "M8 1.5 14 5v6l-6 3.5L2 11V5zM2 5l6 3.5L14 5M8 8.5v6" },
  { to: "/enrollment", title: "Enrollment", permission: "enrollment-tokens:manage", key: "e", icon: "M8 3v10M3 8h10" },
  { to: "/changes", title: "Changes", permission: "changes:create", key: "c", icon: "M3 4h7M3 8h4M3 12h3M9 11l2 2 3.500-4" },
  { to: "/audit", title: "Audit", permission: "audit:read-own", key: "u", icon: "M3 2h8l2 2v10H3zM5.5 6h5M5.5 9h5M5.5 12h3", first: true },
  { to: "/access", title: "Users & access", permission: "users:manage", key: "p", icon: "M8 8a2.8 2.8 0 1 0 0-5.600A2.8 2.8 0 0 0 8 8zM2.5 14c.5-3 2.5-4 5.5-4s5 1 5.5 4" },
  { to: "/loadtests", title: "Load tests", permission: "dashboards:read", key: "t", icon: "M2 12a6 6 0 1 1 12 0M8 11l3-4" },
  { to: "/broker", title: "Broker", permission: "logs:read", key: "b", icon: "M3 2h10v12H3zM3 6h10M3 10h10M5 4h1M5 8h1M5 12h1", allAgents: true },
];

/** Those that somebody gets to see. */
export function pagesFor(can: (permission: string) => boolean, scope: readonly string[]): readonly PageEntry[] {
  return PAGES.filter((page) => can(page.permission) && (page.allAgents !== true || scope.length === 0));
}
