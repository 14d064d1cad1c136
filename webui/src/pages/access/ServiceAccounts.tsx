import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { api, done, some } from "../../api/client";
import type { components } from "../../api/schema";
import { Ago, Badge, Button, CodeBlock, Empty, Failure, Loading, Note, SelectField, TextField } from "../../parts/basics";
import { DataTable } from "../../parts/DataTable";
import { Confirm, Dialog } from "../../parts/Dialog";
import { Panel } from "../../parts/Page";
import { useUrl } from "../../parts/search";
import { plural } from "../../parts/words";

type Account = components["schemas"]["ServiceAccount"];
type Token = components["schemas"]["ServiceToken"];

const LIFE: readonly (readonly [string, string])[] = [
  ["86400", "1 day"],
  ["604800", "7 days"],
  ["2592000", "30 days"],
];

export function ServiceAccounts() {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: ["services"],
    queryFn: () => done(api.GET("/api/v1/service-accounts")),
  });
  const [search, setSearch] = useUrl();
  /** What a page that leads here wants to be invoked. */
  const wish = search["invoke"];
  const [adding, setAdding] = useState(wish !== undefined);
  const [tokensOf, setTokensOf] = useState<string | null>(null);
  const [ending, setEnding] = useState<Account | null>(null);
  if (error !== null) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined) {
    return <Loading />;
  }
  const added = () => {
    setAdding(false);
    setSearch({ invoke: undefined });
  };
  const add = (
    <Button
      kind="primary"
      onClick={() => {
        setAdding(true);
      }}
    >
      Add a service account…
    </Button>
  );
  return (
    <>
      {data.length === 0 ? (
        <Empty title="No service account yet" action={add}>
          <p>A cloud service invokes systems with the token of a service account.</p>
        </Empty>
      ) : (
        <Panel title={plural(data.length, "service account")} beside={add} flush>
          <DataTable
            label="Service accounts"
            rows={data}
            rowKey={(account) => account.name}
            tone={(account) => (account.disabled ? "off" : undefined)}
            columns={[
              { id: "name", head: "Name", cell: (account) => <span className="strong">{account.name}</span> },
              { id: "systems", head: "May invoke", cell: (account) => <span className="mono">{account.systems.join(", ")}</span> },
              { id: "last", head: "Last used", cell: (account) => <Ago at={account.last_used_at} />, drop: 2 },
              {
                id: "state",
                head: "State",
                cell: (account) =>
                  account.disabled ? <Badge tone="off">Disabled</Badge> : <Badge tone="ok">Active</Badge>,
                drop: 2,
              },
              {
                id: "do",
                head: "",
                align: "end",
                cell: (account) => (
                  <div className="row-actions">
                    <Button
                      onClick={() => {
                        setTokensOf(account.name);
                      }}
                    >
                      Tokens…
                    </Button>
                    <Button
                      kind="danger"
                      onClick={() => {
                        setEnding(account);
                      }}
                    >
                      Delete…
                    </Button>
                  </div>
                ),
              },
            ]}
          />
        </Panel>
      )}
      <Dialog open={adding} title="Add a service account" onClose={added}>
        <AccountForm
          invokes={wish ?? ""}
          onDone={(name) => {
            added();
            setTokensOf(name);
            void queries.invalidateQueries({ queryKey: ["services"] });
          }}
        />
      </Dialog>
      <Dialog
        open={tokensOf !== null}
        title={`Tokens of ${tokensOf ?? ""}`}
        wide
        onClose={() => {
          setTokensOf(null);
        }}
      >
        {tokensOf !== null && <Tokens account={tokensOf} />}
      </Dialog>
      <Confirm
        open={ending !== null}
        title={`Delete ${ending?.name ?? ""}`}
        typed={ending?.name ?? ""}
        action="Delete"
        onClose={() => {
          setEnding(null);
        }}
        onConfirm={async () => {
          if (ending !== null) {
            await done(
              api.DELETE("/api/v1/service-accounts/{name}", { params: { path: { name: ending.name } } }),
            );
            await queries.invalidateQueries({ queryKey: ["services"] });
          }
        }}
      >
        <p>All its tokens stop working at once, and so does whatever service calls with them.</p>
      </Confirm>
    </>
  );
}

function AccountForm({
  invokes,
  onDone,
}: {
  readonly invokes: string;
  readonly onDone: (name: string) => void;
}) {
  const [name, setName] = useState("");
  const [systems, setSystems] = useState(invokes);
  const [failure, setFailure] = useState<unknown>(null);
  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setFailure(null);
    try {
      await done(
        api.POST("/api/v1/service-accounts", {
          body: some({ name, systems: systems.split(/[\s,]+/).filter((it) => it !== "") }),
        }),
      );
      onDone(name);
    } catch (error) {
      setFailure(error);
    }
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <TextField label="Name" value={name} onChange={setName} autoFocus required spellCheck={false} autoComplete="off" />
      <TextField
        label="May invoke"
        value={systems}
        onChange={setSystems}
        placeholder="berlin/erp, hamburg/*"
        hint="site/system or site/*; instead of the site also agent:NAME or label:KEY=VALUE."
        required
        spellCheck={false}
      />
      {failure !== null && <Failure error={failure} />}
      <div className="actions">
        <Button kind="primary" submit>
          Add
        </Button>
      </div>
    </form>
  );
}

function Tokens({ account }: { readonly account: string }) {
  const queries = useQueryClient();
  const [life, setLife] = useState("604800");
  const [fresh, setFresh] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const { data, error } = useQuery({
    queryKey: ["services", account, "tokens"],
    queryFn: () =>
      done(api.GET("/api/v1/service-accounts/{name}/tokens", { params: { path: { name: account } } })),
  });
  const again = () => queries.invalidateQueries({ queryKey: ["services", account, "tokens"] });

  async function issue() {
    setFailure(null);
    try {
      const issued = await done(
        api.POST("/api/v1/service-accounts/{name}/tokens", {
          params: { path: { name: account } },
          body: some({ ttl_seconds: Number(life) }),
        }),
      );
      setFresh(issued.token);
      await again();
    } catch (problem) {
      setFailure(problem);
    }
  }

  async function revoke(token: Token) {
    setFailure(null);
    try {
      await done(
        api.DELETE("/api/v1/service-accounts/{name}/tokens/{id}", {
          params: { path: { name: account, id: token.id } },
        }),
      );
      await again();
    } catch (problem) {
      setFailure(problem);
    }
  }

  return (
    <div className="stack">
      {fresh !== null && (
        <Note kind="ok">
          Copy it now: it is not shown again.
          <CodeBlock label="New token" text={fresh} />
        </Note>
      )}
      {(failure ?? error) !== null && <Failure error={failure ?? error} />}
      <div className="actions">
        <SelectField quiet label="Valid for" value={life} options={LIFE} onChange={setLife} />
        <Button kind="primary" onClick={() => void issue()}>
          Issue a token
        </Button>
      </div>
      {data !== undefined && data.length > 0 && (
        <DataTable
          label="Tokens"
          rows={data}
          rowKey={(token) => token.id}
          columns={[
            { id: "id", head: "Token", cell: (token) => <span className="mono">{token.id.slice(-8)}</span> },
            { id: "at", head: "Issued", cell: (token) => <Ago at={token.issued_at} /> },
            { id: "by", head: "By", cell: (token) => token.issued_by, drop: 2 },
            {
              id: "end",
              head: "Ends",
              cell: (token) => (token.revoked_at === null ? <Ago at={token.expires_at} /> : "revoked"),
            },
            { id: "used", head: "Last used", cell: (token) => <Ago at={token.last_used_at} />, drop: 2 },
            {
              id: "do",
              head: "",
              align: "end",
              cell: (token) => token.revoked_at === null && <Button onClick={() => void revoke(token)}>Revoke</Button>,
            },
          ]}
        />
      )}
    </div>
  );
}
