package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl user`: the people who sign in.
@Command(
    name = "user",
    description = "Users: list, create, disable, enable, delete.",
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
    terminal.table(api.get("/users"), "email", "role", "disabled", "last_login_at");
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
          boolean passwordStdin) {
    String password = terminal.secret(passwordStdin, "password", "--password-stdin");
    ObjectNode body = Json.object().put("email", email).put("role", role).put("password", password);
    terminal.answer(api.post("/users", body), "created " + email);
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
