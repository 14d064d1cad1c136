import { Link } from "@tanstack/react-router";
import { roleFor, useMe } from "../auth/session";
import { Button } from "../parts/basics";
import { Page } from "../parts/Page";

export function Forbidden({
  permission,
  limited = false,
}: {
  readonly permission: string;
  /** It is for those who may see all agents. */
  readonly limited?: boolean;
}) {
  const { role, email, scope } = useMe();
  return (
    <Page title="Not for your role">
      <div className="lonely-text">
        <p>
          You are signed in as <strong>{email}</strong> with the role <strong>{role}</strong>.{" "}
          {limited ? (
            <>
              This page is about all agents together, and you may see <code>{scope.join(", ")}</code>.
            </>
          ) : (
            <>
              This page needs the permission <code>{permission}</code>, which the role {roleFor(permission)} has.
            </>
          )}
        </p>
        <p>Ask an Admin for more, or go back to where you came from.</p>
        <div className="actions">
          <Button
            onClick={() => {
              history.back();
            }}
          >
            Go back
          </Button>
          <Link to="/" className="button plain">
            Overview
          </Link>
        </div>
      </div>
    </Page>
  );
}
