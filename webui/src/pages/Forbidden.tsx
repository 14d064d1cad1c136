import { roleFor, useMe } from "../auth/session";
import { Button } from "../parts/basics";
import { Page } from "../parts/Page";

export function Forbidden({ permission }: { readonly permission: string }) {
  const { role, email } = useMe();
  return (
    <Page title="Not for your role">
      <div className="lonely-text">
        <p>
          You are signed in as <strong>{email}</strong> with the role <strong>{role}</strong>. This page
          needs the permission <code>{permission}</code>, which the role {roleFor(permission)} has.
        </p>
        <p>Ask an Admin for that role, or go back to where you came from.</p>
        <div className="actions">
          <Button
            onClick={() => {
              history.back();
            }}
          >
            Go back
          </Button>
          <a className="button plain" href="/">
            Overview
          </a>
        </div>
      </div>
    </Page>
  );
}
