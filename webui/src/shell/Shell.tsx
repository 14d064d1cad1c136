import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { DropdownMenu } from "radix-ui";
import { useEffect, useRef, useState } from "react";
import { Brand, ExpiryWarning } from "../auth/SignIn";
import { useCan, useMe, useSession } from "../auth/session";
import { useLive } from "../live/live";
import { LivePill } from "../live/LivePill";
import { useAlarmCount, usePendingCount } from "../parts/queries";
import { Button, Failure } from "../parts/basics";
import { Dialog } from "../parts/Dialog";
import { moment } from "../parts/words";
import { applyTheme, storedTheme, type Theme } from "../parts/theme";
import { Help, Palette } from "./Help";
import { pagesFor, type PageEntry } from "./pages";
import { useShortcuts } from "./shortcuts";

export function Shell() {
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const { pause, paused, reachable } = useLive();
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [openAt, setOpenAt] = useState(path);
  const menuButton = useRef<HTMLButtonElement>(null);

  // Whoever went to a page has chosen.
  if (openAt !== path) {
    setOpenAt(path);
    setOpen(false);
  }
  useEffect(() => {
    if (!open) {
      return;
    }
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        setOpen(false);
        menuButton.current?.focus();
      }
    };
    window.addEventListener("keydown", pressed);
    return () => {
      window.removeEventListener("keydown", pressed);
    };
  }, [open]);

  useShortcuts({
    go: (to) => void navigate({ to }),
    help: () => {
      setHelp(true);
    },
    palette: () => {
      setPalette(true);
    },
    pause: () => {
      pause(!paused);
    },
  });

  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <button
          ref={menuButton}
          type="button"
          className="button quiet icon menu-button"
          aria-label={open ? "Close the menu" : "Open the menu"}
          aria-expanded={open}
          aria-controls="nav"
          onClick={() => {
            setOpen(!open);
          }}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2 4h12M2 8h12M2 12h12" />
          </svg>
        </button>
        <Link to="/" className="home">
          <Brand />
        </Link>
        <div className="top-right">
          <button
            type="button"
            className="find"
            onClick={() => {
              setPalette(true);
            }}
          >
            <span>Go to…</span>
            <kbd>Ctrl K</kbd>
          </button>
          <LivePill />
          <UserMenu
            onHelp={() => {
              setHelp(true);
            }}
          />
        </div>
      </header>
      <nav id="nav" aria-label="Pages" className={open ? "nav open" : "nav"}>
        <NavList />
      </nav>
      <main id="main" tabIndex={-1} data-stale={reachable ? undefined : true}>
        <ExpiryWarning />
        <AwayBanner />
        <Outlet />
      </main>
      <Help
        open={help}
        onClose={() => {
          setHelp(false);
        }}
      />
      <Palette
        open={palette}
        onClose={() => {
          setPalette(false);
        }}
      />
    </div>
  );
}

function NavList() {
  const can = useCan();
  const { scope } = useMe();
  const pending = usePendingCount();
  const alarms = useAlarmCount();
  const badge = (page: PageEntry) =>
    page.to === "/enrollment" ? pending : page.to === "/alarms" ? alarms : 0;
  return (
    <ul>
      {pagesFor(can, scope).map((page) => (
        <li key={page.to} className={page.first === true ? "first" : undefined}>
          <Link to={page.to} activeOptions={{ exact: page.to === "/" }} activeProps={{ "aria-current": "page" }}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d={page.icon} />
            </svg>
            {page.title}
            {badge(page) > 0 && (
              <span className={page.to === "/alarms" ? "count bad" : "count"}>
                {badge(page)}
                <span className="sr">{page.to === "/alarms" ? " open" : " waiting"}</span>
              </span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  );
}

const THEMES: readonly (readonly [Theme, string])[] = [
  ["auto", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

function UserMenu({ onHelp }: { readonly onHelp: () => void }) {
  const me = useMe();
  const { signOut } = useSession();
  const [failure, setFailure] = useState<unknown>(null);
  const [theme, setTheme] = useState(storedTheme);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="user">
        <span className="role">{me.role}</span> <span className="email">{me.email}</span>
        <span className="sr">, account and settings</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end" sideOffset={6}>
          <DropdownMenu.Label>
            {me.email}
            <span className="muted">
              {me.role}
              {me.scope.length > 0 && `, only ${me.scope.join(", ")}`}
            </span>
          </DropdownMenu.Label>
          <DropdownMenu.Separator />
          <DropdownMenu.RadioGroup
            value={theme}
            aria-label="Theme"
            onValueChange={(value) => {
              setTheme(value as Theme);
              applyTheme(value as Theme);
            }}
          >
            {THEMES.map(([value, text]) => (
              <DropdownMenu.RadioItem key={value} value={value}>
                <span className="check">
                  <DropdownMenu.ItemIndicator>✓</DropdownMenu.ItemIndicator>
                </span>
                {text}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator />
          <DropdownMenu.Item onSelect={onHelp}>Keyboard</DropdownMenu.Item>
          <DropdownMenu.Item
            onSelect={() => {
              signOut().catch(setFailure);
            }}
          >
            Sign out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
      <Dialog
        open={failure !== null}
        title="You are still signed in"
        onClose={() => {
          setFailure(null);
        }}
      >
        <Failure error={failure} />
        <p>Try again when the broker answers. Closing the browser does not end the session.</p>
      </Dialog>
    </DropdownMenu.Root>
  );
}

/** What is shown is old, and how old; it stays readable. */
function AwayBanner() {
  const { state, reachable, retryNow } = useLive();
  if (reachable) {
    return null;
  }
  return (
    <div className="banner warn" role="status">
      <span>
        The broker does not answer. What you see is{" "}
        {state.kind === "waiting" ? <>as of {moment(state.sinceAt)}</> : "from before"}; what you typed stays.
      </span>
      <Button onClick={retryNow}>Try now</Button>
    </div>
  );
}
