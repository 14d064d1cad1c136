import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { HOME } from "./api/base";
import { App } from "./App";
import { guarded } from "./auth/guarded";
import { Broken } from "./pages/Broken";
import { NotFound } from "./pages/NotFound";

/** Everything in the URL is text; nothing is guessed to be a number. */
export type Search = Readonly<Record<string, string | undefined>>;

const root = createRootRoute({
  component: App,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>): Search => search as Search,
});

/** `allAgents`: for whoever may see all of them only. */
const page = <P extends string>(
  path: P,
  permission: string,
  load: () => Promise<{ default: React.ComponentType }>,
  allAgents = false,
) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: guarded(permission, lazyRouteComponent(load), allAgents),
  });

const tree = root.addChildren([
  page("/", "agents:read", () => import("./pages/overview/OverviewPage")),
  page("/agents", "agents:read", () => import("./pages/agents/AgentsPage")),
  page("/agents/$agent", "agents:read", () => import("./pages/agents/AgentPage")),
  page("/systems", "systems:read", () => import("./pages/systems/SystemsPage")),
  page("/agents/$agent/systems/$system", "systems:read", () => import("./pages/systems/SystemPage")),
  page("/agents/$agent/new-system", "systems:update", () => import("./pages/systems/NewSystemPage")),
  page("/agents/$agent/systems/$system/edit", "systems:update", () => import("./pages/systems/EditSystemPage")),
  page("/enrollment", "enrollment-tokens:manage", () => import("./pages/enrollment/EnrollmentPage")),
  page("/latency", "dashboards:read", () => import("./pages/latency/LatencyPage")),
  page("/hops", "dashboards:read", () => import("./pages/latency/HopsPage")),
  page("/requests", "requests:read", () => import("./pages/requests/RequestsPage")),
  page("/alarms", "alarms:read", () => import("./pages/alarms/AlarmsPage")),
  page("/audit", "audit:read-own", () => import("./pages/audit/AuditPage")),
  page("/access", "users:manage", () => import("./pages/access/AccessPage")),
  page("/loadtests", "dashboards:read", () => import("./pages/loadtests/LoadTestsPage")),
  page("/changes", "changes:create", () => import("./pages/changes/ChangesPage")),
  page("/broker", "logs:read", () => import("./pages/broker/BrokerPage"), true),
]);

export const router = createRouter({
  routeTree: tree,
  basepath: HOME,
  defaultPreload: "intent",
  scrollRestoration: false,
  defaultErrorComponent: Broken,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(search)) {
      if (typeof value === "string" && value !== "") {
        parameters.set(name, value);
      }
    }
    const text = parameters.toString();
    return text === "" ? "" : `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
