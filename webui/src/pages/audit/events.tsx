import type { components } from "../../api/schema";
import { Badge } from "../../parts/basics";
import type { Column } from "../../parts/DataTable";
import { moment } from "../../parts/words";

export type AuditEvent = components["schemas"]["AuditEvent"];

export const EVENT_COLUMNS: readonly Column<AuditEvent>[] = [
  { id: "at", head: "When", cell: (event) => <span className="mono">{moment(event.timestamp)}</span> },
  { id: "type", head: "Event", cell: (event) => <span className="strong">{event.event_type}</span> },
  { id: "user", head: "Who", cell: (event) => event.user ?? <span className="muted">–</span>, drop: 3 },
  {
    id: "on",
    head: "On",
    cell: (event) => event.resource_id ?? event.resource ?? <span className="muted">–</span>,
    drop: 2,
  },
  {
    id: "result",
    head: "Result",
    cell: (event) =>
      event.result === null ? (
        <span className="muted">–</span>
      ) : (
        <Badge tone={/fail|denied|refus|blocked/i.test(event.result) ? "bad" : "ok"}>{event.result}</Badge>
      ),
  },
  { id: "ip", head: "From", cell: (event) => <span className="mono">{event.ip_address ?? "–"}</span>, drop: 1 },
];
