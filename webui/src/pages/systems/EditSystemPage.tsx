import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Failure, Loading } from "../../parts/basics";
import { Page } from "../../parts/Page";
import { systemQuery } from "../../parts/queries";
import { SystemEditor, type Editing } from "./SystemEditor";

export default function EditSystemPage() {
  const { agent = "", system = "" } = useParams({ strict: false });
  const { data, error } = useQuery(systemQuery(agent, system));
  // The version that was opened; what others save meanwhile is a conflict to hear of, not to lose.
  const [opened, setOpened] = useState<Editing | null>(null);
  if (data !== undefined && opened === null) {
    setOpened({
      system,
      plugin: data.plugin,
      version: data.version,
      settings: data.settings,
      secretNames: data.secret_names,
    });
  }
  return (
    <Page
      title={`Edit ${system}`}
      above={
        <>
          <Link to="/agents/$agent" params={{ agent }}>
            {agent}
          </Link>{" "}
          /{" "}
          <Link to="/agents/$agent/systems/$system" params={{ agent, system }}>
            {system}
          </Link>
        </>
      }
    >
      {error !== null && <Failure error={error} />}
      {opened === null ? (
        error === null && <Loading />
      ) : (
        <SystemEditor agent={agent} old={opened} />
      )}
    </Page>
  );
}
