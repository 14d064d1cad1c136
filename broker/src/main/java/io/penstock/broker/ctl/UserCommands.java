package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl user`: the people who sign in.
@Command(
    name = "user",
    description = "Users: list, create, change, password, disable, enable, delete.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl user list",
      "  penstock ctl user create eve@example.com --role Operator --password-stdin < password.txt",
      "  penstock ctl user disable eve@example.com"
    })
final class UserCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  UserCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list();
  }

  @Command(name = "list", description = "All users.")
  int list() {
    terminal.table(
        api.get("/users"),
        "email",
        "role",
        "gateway_access",
        "sign_in",
        "disabled",
        "last_login_at");
    return ExitCode.FINE;
  }

  @Command(
      name = "create",
      description = "Create a user.",
      footer = {
        "",
        "Example:",
        "  penstock ctl user create eve@example.com --role Operator --password-stdin <"
            + " password.txt",
        "",
        "Without --password-stdin the password is asked for."
      })
  int create(
      @Parameters(paramLabel = "EMAIL", description = "Who.") String email,
      @Option(
              names = "--role",
              required = true,
              paramLabel = "ROLE",
              description = "Viewer, Operator, Engineer, Admin or Copilot.")
          String role,
      @Option(
              names = "--password-stdin",
              description = "Read the password from the first line of standard input.")
          boolean passwordStdin,
      @Option(
              names = "--access",
              paramLabel = "SCOPE",
              description =
                  "Only these agents: agent:NAME, site:NAME or label:KEY=VALUE; may be repeated.")
          @Nullable List<String> access) {
    String password = terminal.secret(passwordStdin, "password", "--password-stdin");
    ObjectNode body = Json.object().put("email", email).put("role", role).put("password", password);
    if (access != null) {
      access.forEach(body.putArray("gateway_access")::add);
    }
    terminal.answer(api.post("/users", body), "created " + email);
    return ExitCode.FINE;
  }

  @Command(
      name = "change",
      description = "Give a user another role or other agents; running sessions have them at once.",
      footer = {
        "",
        "Examples:",
        "  penstock ctl user change eve@example.com --role Engineer",
        "  penstock ctl user change eve@example.com --access site:berlin --access label:hall=8",
        "  penstock ctl user change eve@example.com --all-agents"
      })
  int change(
      @Parameters(paramLabel = "EMAIL", description = "Who.") String email,
      @Option(
              names = "--role",
              paramLabel = "ROLE",
              description = "Viewer, Operator, Engineer, Admin or Copilot.")
          @Nullable String role,
      @Option(
              names = "--access",
              paramLabel = "SCOPE",
              description =
                  "Only these agents: agent:NAME, site:NAME or label:KEY=VALUE; may be repeated.")
          @Nullable List<String> access,
      @Option(names = "--all-agents", description = "Every agent.") boolean allAgents) {
    boolean names = access != null && !access.isEmpty();
    if (role == null && !names && !allAgents) {
      throw Failure.wrongUsage("expected --role, --access or --all-agents");
    }
    if (names && allAgents) {
      throw Failure.wrongUsage("expected either --access or --all-agents");
    }
    ObjectNode body = Json.object();
    if (role != null) {
      body.put("role", role);
    }
    if (names || allAgents) {
      var entries = body.putArray("gateway_access");
      if (access != null) {
        access.forEach(entries::add);
      }
    }
    terminal.answer(api.patch("/users/" + BrokerUrl.segment(email), body), "changed " + email);
    return ExitCode.FINE;
  }

  @Command(
      name = "password",
      description = "Set a user's password; their sessions end.",
      footer = {"", "Without --password-stdin the password is asked for."})
  int password(
      @Parameters(paramLabel = "EMAIL", description = "Who.") String email,
      @Option(
              names = "--password-stdin",
              description = "Read the password from the first line of standard input.")
          boolean passwordStdin) {
    String password = terminal.secret(passwordStdin, "password", "--password-stdin");
    terminal.answer(
        api.post(
            "/users/" + BrokerUrl.segment(email) + "/password",
            Json.object().put("password", password)),
        "set the password of " + email);
    return ExitCode.FINE;
  }

  @Command(name = "disable", description = "Lock a user out; running sessions end.")
  int disable(@Parameters(paramLabel = "EMAIL", description = "Who.") String email) {
    return act(email, "disable", "disabled " + email);
  }

  @Command(name = "enable", description = "Let a disabled user in again.")
  int enable(@Parameters(paramLabel = "EMAIL", description = "Who.") String email) {
    return act(email, "enable", "enabled " + email);
  }

  @Command(name = "delete", description = "Delete a user; what the audit trail says of them stays.")
  int delete(@Parameters(paramLabel = "EMAIL", description = "Who.") String email) {
    terminal.answer(api.delete("/users/" + BrokerUrl.segment(email)), "deleted " + email);
    return ExitCode.FINE;
  }

  private int act(String email, String verb, String sentence) {
    terminal.answer(
        api.post("/users/" + BrokerUrl.segment(email) + "/" + verb, Json.object()), sentence);
    return ExitCode.FINE;
  }
}
