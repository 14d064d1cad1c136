import { Link } from "@tanstack/react-router";
import { Page } from "../parts/Page";

export function NotFound() {
  return (
    <Page title="Nothing here">
      <div className="lonely-text">
        <p>
          No page has the address <code>{location.pathname}</code>. It may have been mistyped, or belong
          to another version.
        </p>
        <div className="actions">
          <Link to="/" className="button plain">
            Overview
          </Link>
          <Link to="/agents" className="button plain">
            Agents
          </Link>
        </div>
      </div>
    </Page>
  );
}
