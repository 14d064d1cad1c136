import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { api, done, post, some } from "../../api/client";
import type { components } from "../../api/schema";
import { useMe } from "../../auth/session";
import { Ago, Badge, Button, Failure, Loading, SelectField, TextField } from "../../parts/basics";
import { DataTable } from "../../parts/DataTable";
import { Confirm, Dialog } from "../../parts/Dialog";
import { Panel } from "../../parts/Page";
import { plural } from "../../parts/words";

type User = components["schemas"]["User"];
type Role = components["schemas"]["Role"];

const ROLES: readonly (readonly [Role, string])[] = [
  ["Viewer", "Viewer: looks"],
  ["Operator", "Operator: + alarms, requests, own audit"],
  ["Engineer", "Engineer: + edits and tests systems"],
  ["Admin", "Admin: everything"],
  ["Copilot", "Copilot: sees topology, proposes changes"],
];

export function Users() {
  const me = useMe();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: ["users"],
    queryFn: () => done(api.GET("/api/v1/users")),
  });
  const [editing, setEditing] = useState<User | "new" | null>(null);
  const [ending, setEnding] = useState<User | null>(null);
  const [disabling, setDisabling] = useState<User | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: ["users"] });
  if (error !== null) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined) {
    return <Loading />;
  }
  const path = (user: User) => ({ params: { path: { email: user.email } } });
  return (
    <Panel
      title={plural(data.length, "user")}
      beside={
        <Button
          kind="primary"
          onClick={() => {
            setEditing("new");
          }}
        >
          Add a user…
        </Button>
      }
      flush
    >
      <DataTable
        label="Users"
        rows={data}
        rowKey={(user) => user.email}
        tone={(user) => (user.disabled ? "off" : undefined)}
        columns={[
          {
            id: "email",
            head: "User",
            cell: (user) => (
              <>
                <span className="strong">{user.email}</span> {user.email === me.email && <span className="muted">you</span>}
                {!user.intact && <Badge tone="bad">row changed outside</Badge>}
              </>
            ),
          },
          { id: "role", head: "Role", cell: (user) => user.role },
          {
            id: "scope",
            head: "Agents",
            cell: (user) => (user.gateway_access.length === 0 ? "all" : user.gateway_access.join(", ")),
            drop: 2,
          },
          {
            id: "by",
            head: "Signs in by",
            cell: (user) => (user.sign_in === "oidc" ? "identity provider" : "password"),
            drop: 2,
          },
          { id: "last", head: "Last sign-in", cell: (user) => <Ago at={user.last_login_at} />, drop: 2 },
          {
            id: "state",
            head: "State",
            cell: (user) => (user.disabled ? <Badge tone="off">Disabled</Badge> : <Badge tone="ok">Active</Badge>),
            drop: 3,
          },
          {
            id: "do",
            head: "",
            align: "end",
            cell: (user) => (
              <div className="row-actions">
                <Button
                  onClick={() => {
                    setEditing(user);
                  }}
                >
                  Change…
                </Button>
                <Button
                  onClick={() => {
                    setDisabling(user);
                  }}
                >
                  {user.disabled ? "Enable" : "Disable…"}
                </Button>
                <Button
                  kind="danger"
                  onClick={() => {
                    setEnding(user);
                  }}
                >
                  Delete…
                </Button>
              </div>
            ),
          },
        ]}
      />
      <Dialog
        open={editing !== null}
        title={editing === "new" ? "Add a user" : `Change ${editing?.email ?? ""}`}
        onClose={() => {
          setEditing(null);
        }}
      >
        {editing !== null && (
          <UserForm
            user={editing === "new" ? null : editing}
            onDone={() => {
              setEditing(null);
              void again();
            }}
          />
        )}
      </Dialog>
      <Confirm
        open={disabling !== null}
        title={disabling?.disabled === true ? `Enable ${disabling.email}` : `Disable ${disabling?.email ?? ""}`}
        typed=""
        action={disabling?.disabled === true ? "Enable" : "Disable"}
        onClose={() => {
          setDisabling(null);
        }}
        onConfirm={async () => {
          if (disabling !== null) {
            await done(
              disabling.disabled
                ? api.POST("/api/v1/users/{email}/enable", path(disabling))
                : api.POST("/api/v1/users/{email}/disable", path(disabling)),
            );
            await again();
          }
        }}
      >
        <p>
          {disabling?.disabled === true
            ? "They can sign in again with the password they had."
            : "All their sessions end at once, on every broker. A call that runs is not cut."}
        </p>
      </Confirm>
      <Confirm
        open={ending !== null}
        title={`Delete ${ending?.email ?? ""}`}
        typed={ending?.email ?? ""}
        action="Delete"
        onClose={() => {
          setEnding(null);
        }}
        onConfirm={async () => {
          if (ending !== null) {
            await done(api.DELETE("/api/v1/users/{email}", path(ending)));
            await again();
          }
        }}
      >
        <p>All their sessions end at once. What they did stays in the audit trail.</p>
      </Confirm>
    </Panel>
  );
}

function UserForm({ user, onDone }: { readonly user: User | null; readonly onDone: () => void }) {
  const [email, setEmail] = useState(user?.email ?? "");
  const [role, setRole] = useState<Role>(user?.role ?? "Viewer");
  const [scope, setScope] = useState((user?.gateway_access ?? []).join(", "));
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    const gateway_access = scope.split(/[\s,]+/).filter((it) => it !== "");
    try {
      if (user === null) {
        await done(api.POST("/api/v1/users", { body: some({ email, role, password, gateway_access }) }));
      } else {
        await done(
          api.PATCH("/api/v1/users/{email}", {
            params: { path: { email: user.email } },
            body: some({ role, gateway_access }),
          }),
        );
        if (password !== "") {
          await post(`/api/v1/users/${encodeURIComponent(user.email)}/password`, { password });
        }
      }
      onDone();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      {user === null && (
        <TextField label="E-mail" type="email" value={email} onChange={setEmail} required autoFocus autoComplete="off" />
      )}
      <SelectField
        label="Role"
        value={role}
        options={ROLES}
        onChange={(next) => {
          setRole(next as Role);
        }}
      />
      <TextField
        label="Only these agents"
        value={scope}
        onChange={setScope}
        placeholder="site:berlin, label:hall=8"
        hint="Left empty: every agent. Else agent:NAME, site:NAME or label:KEY=VALUE."
        spellCheck={false}
      />
      <TextField
        label={user === null ? "Password" : "New password"}
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        hint={
          user === null
            ? "At least 12 characters that are hard to guess."
            : "Left empty, it stays. A new one ends all their sessions."
        }
      />
      {failure !== null && <Failure error={failure} />}
      <div className="actions">
        <Button kind="primary" submit disabled={busy}>
          {user === null ? "Add" : "Save"}
        </Button>
      </div>
    </form>
  );
}
