import { Link, useParams } from "@tanstack/react-router";
import { Page } from "../../parts/Page";
import { SystemEditor } from "./SystemEditor";

export default function NewSystemPage() {
  const { agent = "" } = useParams({ strict: false });
  return (
    <Page
      title="Add a system"
      above={
        <>
          <Link to="/agents">Agents</Link> /{" "}
          <Link to="/agents/$agent" params={{ agent }}>
            {agent}
          </Link>
        </>
      }
    >
      <SystemEditor agent={agent} old={null} />
    </Page>
  );
}
