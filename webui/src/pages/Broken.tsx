import { sentenceOf } from "../api/problem";
import { Button, Note } from "../parts/basics";
import { Page } from "../parts/Page";

/** A page that failed by a fault of its own: the others still work. */
export function Broken({ error }: { readonly error: unknown }) {
  return (
    <Page title="This page failed">
      <div className="lonely-text">
        <Note kind="bad">{sentenceOf(error)}</Note>
        <p>
          Nothing was changed by it. If the broker was updated a moment ago, loading the page again is all it needs; if
          not, please report it with the words above.
        </p>
        <div className="actions">
          <Button
            kind="primary"
            onClick={() => {
              location.reload();
            }}
          >
            Load it again
          </Button>
        </div>
      </div>
    </Page>
  );
}
