package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Octets;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `ctl login`, `logout`, `whoami`.
final class SignInCommands {
  private final Terminal terminal;
  private final BrokerApi api;

  SignInCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  List<Object> all() {
    return List.of(new Login(), new Logout(), new WhoAmI());
  }

  @Command(
      name = "login",
      description =
          "Sign in; later commands use the session, which is kept readable for you alone.",
      footer = {
        "",
        "Example:",
        "  penstock ctl login --url https://broker.example.com:8443 --ca ca.pem \\",
        "      --user admin@example.com --password-stdin < password.txt",
        "",
        "Without --password-stdin the password is asked for."
      })
  final class Login implements Callable<Integer> {
    @Option(
        names = "--url",
        required = true,
        paramLabel = "URL",
        description = "The broker, https://HOST[:PORT].")
    String url = "";

    @Option(
        names = "--ca",
        paramLabel = "FILE",
        description =
            "CA certificates in PEM form; without it the JDK's list of public CAs counts.")
    @Nullable Path ca;

    @Option(names = "--user", required = true, paramLabel = "EMAIL", description = "Who signs in.")
    String user = "";

    @Option(
        names = "--password-stdin",
        description = "Read the password from the first line of standard input.")
    boolean passwordStdin;

    @Option(
        names = "--root",
        paramLabel = "SHA256",
        description =
            "Hash of the broker's root key; without it the first one that is shown counts.")
    @Nullable String root;

    @Override
    public Integer call() {
      URI broker = BrokerUrl.parse(url);
      Optional<Octets> rootSha256 = Optional.ofNullable(root).map(Pins::hash);
      rootSha256.ifPresent(hash -> api.pins(broker).requireNotFormer(hash));
      Optional<String> caPem = Optional.ofNullable(ca).map(Trust::readPem);
      String password = terminal.secret(passwordStdin, "password", "--password-stdin");
      StoredSession session = api.login(broker, caPem, user, password);
      rootSha256.ifPresent(hash -> api.pins().pinRoot(hash));
      ObjectNode shown = Json.object();
      shown.put("url", session.url().toString());
      shown.put("user", session.user());
      shown.put("session_expires_at", session.sessionExpiresAt());
      terminal.answer(
          shown, "signed in as " + session.user() + " until " + session.sessionExpiresAt());
      return ExitCode.FINE;
    }
  }

  @Command(name = "logout", description = "End the session, here and at the broker.")
  final class Logout implements Callable<Integer> {
    @Override
    public Integer call() {
      api.logout();
      terminal.answer(Json.object().put("signed_in", false), "signed out");
      return ExitCode.FINE;
    }
  }

  @Command(name = "whoami", description = "Show who is signed in, with roles.")
  final class WhoAmI implements Callable<Integer> {
    @Override
    public Integer call() {
      JsonNode me = api.get("/auth/me");
      terminal.details(me);
      return ExitCode.FINE;
    }
  }
}
