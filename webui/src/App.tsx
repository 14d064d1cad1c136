import { SignInAgain, SignInPage } from "./auth/SignIn";
import { useSession } from "./auth/session";
import { LiveProvider } from "./live/live";
import { Offline } from "./pages/Offline";
import { Shell } from "./shell/Shell";

export function App() {
  const { state } = useSession();
  switch (state.kind) {
    case "loading":
      return (
        <main className="lonely" id="main" aria-busy="true">
          <h1 className="sr">Penstock</h1>
        </main>
      );
    case "offline":
      return <Offline />;
    case "signed-out":
      return <SignInPage why={state.why} />;
    case "signed-in":
      return (
        <LiveProvider>
          <Shell />
          <SignInAgain />
        </LiveProvider>
      );
  }
}
