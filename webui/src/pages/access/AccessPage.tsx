import { useUrl } from "../../parts/search";
import { Page } from "../../parts/Page";
import { useCan } from "../../auth/session";
import { Roles } from "./Roles";
import { ServiceAccounts } from "./ServiceAccounts";
import { Users } from "./Users";

const TABS = [
  ["users", "Users", "users:manage"],
  ["services", "Service accounts", "service-accounts:manage"],
  ["roles", "Roles", "users:manage"],
] as const;

export default function AccessPage() {
  const [search, setSearch] = useUrl();
  const can = useCan();
  const tabs = TABS.filter(([, , permission]) => can(permission));
  const tab = tabs.find(([id]) => id === search["tab"])?.[0] ?? "users";
  return (
    <Page title="Users & access">
      <nav className="tabs" aria-label="Parts of users and access">
        {tabs.map(([id, name]) => (
          <button
            key={id}
            type="button"
            aria-current={id === tab ? "page" : undefined}
            onClick={() => {
              setSearch({ tab: id === "users" ? undefined : id });
            }}
          >
            {name}
          </button>
        ))}
      </nav>
      {tab === "users" && <Users />}
      {tab === "services" && <ServiceAccounts />}
      {tab === "roles" && <Roles />}
    </Page>
  );
}
