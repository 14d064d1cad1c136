import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, done } from "../../api/client";
import { Empty, Failure, Loading } from "../../parts/basics";
import { DataTable } from "../../parts/DataTable";
import { Panel } from "../../parts/Page";
import { EVENT_COLUMNS } from "./events";

/** What was done with one thing. */
export function EventsOf({ resource }: { readonly resource: string }) {
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery({
    queryKey: ["audit", "of", resource],
    queryFn: () =>
      done(api.GET("/api/v1/audit", { params: { query: { resource_id: resource, limit: 100 } } })),
    meta: { live: true },
  });
  if (error !== null) {
    return <Failure error={error} again={() => void refetch()} />;
  }
  if (data === undefined) {
    return <Loading rows={4} />;
  }
  if (data.length === 0) {
    return (
      <Empty title="Nothing recorded that you may see">
        <p>Operators and Engineers see what they did themselves; Admins see everything.</p>
      </Empty>
    );
  }
  return (
    <Panel flush>
      <DataTable
        label={`Events of ${resource}`}
        columns={EVENT_COLUMNS}
        rows={data}
        rowKey={(event) => String(event.id)}
        onOpen={(event) =>
          void navigate({ to: "/audit", search: { resource_id: resource, id: String(event.id) } as never })
        }
      />
    </Panel>
  );
}
