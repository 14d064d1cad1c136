import { useEffect, useId, useRef, useState, type SubmitEvent } from "react";
import { BROKER } from "../api/base";
import { ApiError, optional, UnreachableError } from "../api/client";
import { sentenceOf } from "../api/problem";
import { rememberTimes } from "../api/refresh";
import { Button, Note, TextField } from "../parts/basics";
import { Dialog } from "../parts/Dialog";
import { brokerNow } from "../api/brokerTime";
import { clock } from "../parts/words";
import { useSession } from "./session";

const WHY = {
  start: null,
  left: "You are signed out.",
  over: "Your session has ended. Sign in to go on.",
} as const;

export function SignInPage({ why }: { readonly why: keyof typeof WHY }) {
  useEffect(() => {
    document.title = "Sign in · Penstock";
  }, []);
  return (
    <main className="lonely" id="main">
      <div className="sign-in panel">
        <Brand />
        <h1>Sign in</h1>
        {WHY[why] !== null && <Note kind="info">{WHY[why]}</Note>}
        {globalThis.isSecureContext ? (
          <>
            <SignInForm />
            <ProviderLink />
          </>
        ) : (
          <Note kind="bad">
            This page came over plain HTTP, where a browser offers no cryptography. Open the console
            by <code>https://</code>, or on this machine by <code>https://localhost</code>.
          </Note>
        )}
      </div>
    </main>
  );
}

/** Where the broker has an identity provider; without an answer there is the form. */
function ProviderLink() {
  const [name, setName] = useState<string | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    void optional<{ enabled: boolean; name?: string }>("/api/v1/auth/oidc", leaving.signal)
      .then((about) => {
        setName(about?.enabled === true ? (about.name ?? null) : null);
      })
      .catch(() => {
        setName(null);
      });
    return () => {
      leaving.abort();
    };
  }, []);
  return name === null ? null : (
    <p>
      <a
        href={`${BROKER}/api/v1/auth/oidc/login`}
        onClick={() => {
          rememberTimes(null);
        }}
      >
        Sign in with {name}
      </a>
    </p>
  );
}

export function Brand() {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <path d="M5 10h10c5 0 5 11 12 11M5 16h6c6 0 7 11 16 11" />
      </svg>
      Penstock
    </span>
  );
}

function SignInForm({ email: known, onDone }: { readonly email?: string; readonly onDone?: () => void }) {
  const { signIn } = useSession();
  const [email, setEmail] = useState(known ?? "");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [wait, setWait] = useState(0);
  const passwordField = useRef<HTMLInputElement>(null);
  const failureId = useId();

  useEffect(() => {
    if (wait <= 0) {
      return;
    }
    const timer = setTimeout(() => {
      setWait(wait - 1);
    }, 1000);
    return () => {
      clearTimeout(timer);
    };
  }, [wait]);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (email === "" || password === "") {
      setFailure(email === "" ? "Enter your e-mail address." : "Enter your password.");
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await signIn(email.trim(), password);
      onDone?.();
    } catch (error) {
      setFailure(said(error));
      setPassword("");
      if (error instanceof ApiError && error.retryAfterSeconds !== null) {
        setWait(error.retryAfterSeconds);
      }
      passwordField.current?.focus();
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} className="stack" noValidate>
      <TextField
        label="E-mail"
        type="email"
        autoComplete="username"
        autoFocus={known === undefined}
        value={email}
        readOnly={known !== undefined}
        onChange={setEmail}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="current-password"
        autoFocus={known !== undefined}
        inputRef={passwordField}
        value={password}
        onChange={setPassword}
        {...(failure === null ? {} : { describedBy: failureId })}
      />
      <div id={failureId} role="alert">
        {failure !== null && (
          <Note kind="bad">
            {failure}
            {wait > 0 && <> Try again in {clock(wait)}.</>}
          </Note>
        )}
      </div>
      <Button kind="primary" submit disabled={busy || wait > 0}>
        {busy ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}

function said(error: unknown): string {
  if (error instanceof UnreachableError) {
    return "The broker does not answer. Check that it runs, then try again.";
  }
  if (error instanceof ApiError && error.status === 401) {
    return "This e-mail and password let nobody in. Check both and try again.";
  }
  if (error instanceof ApiError && error.status === 429) {
    return "Too many wrong passwords. This account is locked for this address.";
  }
  return sentenceOf(error);
}

/** Over whatever is open, so that a form that somebody fills in is still there afterwards. */
export function SignInAgain() {
  const { asking, state, stopAsking, signOut, times } = useSession();
  if (state.kind !== "signed-in") {
    return null;
  }
  const over = times === null;
  return (
    <Dialog
      open={asking}
      title={over ? "Your session has ended" : "Go on with a new session"}
      onClose={over ? undefined : stopAsking}
      footer={
        <Button kind="quiet" onClick={() => void signOut()}>
          Leave this page
        </Button>
      }
    >
      <p>What you entered is kept. Sign in again to go on where you are.</p>
      <SignInForm email={state.me.email} />
    </Dialog>
  );
}

const WARN_SECONDS = 120;

/** Two minutes ahead, because a session of 24 hours cannot be prolonged. */
export function ExpiryWarning() {
  const { times, ask, asking } = useSession();
  const [now, setNow] = useState(brokerNow);
  const end = times === null ? Number.NaN : Date.parse(times.session_expires_at);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(brokerNow());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  const left = Math.floor((end - now) / 1000);
  if (Number.isNaN(left) || left > WARN_SECONDS || left < 0 || asking) {
    return null;
  }
  return (
    <div className="banner warn" role="status">
      <span>
        Your session ends in <span aria-hidden="true">{clock(left)}</span>
        <span className="sr">less than two minutes</span>.
      </span>
      <Button onClick={ask}>Sign in again</Button>
    </div>
  );
}
