import { useEffect, useState } from "react";
import { Brand } from "../auth/SignIn";
import { useSession } from "../auth/session";
import { Button } from "../parts/basics";

const AGAIN_SECONDS = 5;

/** The page came, from a cache or a moment ago, and the broker does not answer. */
export function Offline() {
  const { retry } = useSession();
  const [left, setLeft] = useState(AGAIN_SECONDS);
  useEffect(() => {
    document.title = "No answer · Penstock";
    const timer = setInterval(() => {
      setLeft((seconds) => seconds - 1);
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  useEffect(() => {
    if (left <= 0) {
      retry();
    }
  }, [left, retry]);
  return (
    <main className="lonely" id="main">
      <div className="sign-in panel">
        <Brand />
        <h1>The broker does not answer</h1>
        <p>
          It may be restarting, or the way to it is cut. Agents and calls do not need this page. Next try in{" "}
          {Math.max(left, 0)} s.
        </p>
        <p className="muted">
          On the broker's machine, <code>penstock doctor</code> names the stage that fails.
        </p>
        <div className="actions">
          <Button kind="primary" onClick={retry}>
            Try now
          </Button>
        </div>
      </div>
    </main>
  );
}
