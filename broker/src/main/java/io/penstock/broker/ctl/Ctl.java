package io.penstock.broker.ctl;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.LinkedHashSet;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// The operator's command line: wires the commands to the terminal and the API, and turns failures
/// into exit codes.
@Command(
    name = "penstock ctl",
    description = "Operator's command line of a Penstock broker.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Start with:",
      "  penstock ctl login --url https://localhost:8443 --ca data/ca.pem --user admin@example.com",
      "  penstock ctl token create --agent plant-1 --out plant-1.token",
      "  penstock ctl agents",
      "",
      "Exit codes: 0 fine, 1 failed, 2 wrong usage, 4 refused for good, 5 cannot reach.",
      "PENSTOCK_CTL_HOME names the directory of session.json (default ~/.config/penstock)."
    })
public final class Ctl {
  private static final String JSON_OPTION = "--json";
  private static final int HELP_WIDTH = 110;

  private Ctl() {}

  public static void main(String[] args) {
    System.exit(run(Terminal.ofProcess(), Clock.systemUTC(), args));
  }

  static int run(Terminal terminal, Clock clock, String... args) {
    CommandLine commandLine = commandLine(terminal, clock);
    if (args.length == 0) {
      commandLine.usage(terminal.out());
      return ExitCode.FINE;
    }
    return commandLine.execute(args);
  }

  private static CommandLine commandLine(Terminal terminal, Clock clock) {
    BrokerApi api = new BrokerApi(SessionStore.of(terminal), clock);
    CommandLine root = new CommandLine(new Ctl());
    for (Object command : new SignInCommands(terminal, api).all()) {
      root.addSubcommand(command);
    }
    root.addSubcommand(new TokenCommands(terminal, api));
    root.addSubcommand(new AgentCommands(terminal, api));
    root.addSubcommand(new UserCommands(terminal, api));
    root.addSubcommand(new ServiceAccountCommands(terminal, api));
    CommandLine system = new CommandLine(new SystemCommands(terminal, api));
    system.addSubcommand(new SystemPut(terminal, api));
    system.addSubcommand(new SystemRecover(terminal, api));
    root.addSubcommand(system);
    root.addSubcommand(new ChangeCommands(terminal, api));
    root.addSubcommand(new MessagesCommand(terminal, api));
    root.addSubcommand(new InvokeCommand(terminal, api));
    CommandLine audit = new CommandLine(new AuditCommands(terminal, api));
    audit.addSubcommand(new AuditVerify(terminal, api));
    audit.addSubcommand(new AuditExport(terminal, api));
    audit.addSubcommand(new AuditReport(terminal, api));
    root.addSubcommand(audit);
    root.addSubcommand(new AlarmCommands(terminal, api));
    root.addSubcommand(new TimesCommands(terminal, api));
    root.addSubcommand(new BlockCommands(terminal, api));
    root.addSubcommand(new KeyCommands(terminal, api));
    root.addSubcommand(new RecoveryKeyCommands(terminal, api));
    root.addSubcommand(new BackupCommands(terminal, api));
    root.addSubcommand("restore", RestoreHint.command());
    root.addSubcommand("forward", NotInThisVersion.command("forward"));
    addCommonOptions(root);
    root.setUsageHelpWidth(HELP_WIDTH);
    // "-d @file" is ours to read; picocli would take it for a file of arguments.
    root.setExpandAtFiles(false);
    root.setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8));
    root.setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8));
    root.setExecutionStrategy(parsed -> execute(terminal, parsed));
    root.setExecutionExceptionHandler((e, _, _) -> failed(terminal, e));
    return root;
  }

  private static void addCommonOptions(CommandLine command) {
    command
        .getCommandSpec()
        .addOption(
            OptionSpec.builder(JSON_OPTION)
                .type(boolean.class)
                .arity("0")
                .description("Print the broker's answer as JSON.")
                .build())
        .addOption(
            OptionSpec.builder("-h", "--help")
                .type(boolean.class)
                .arity("0")
                .usageHelp(true)
                .description("Show this help.")
                .build());
    // A command stands there once more under each of its aliases.
    new LinkedHashSet<>(command.getSubcommands().values()).forEach(Ctl::addCommonOptions);
  }

  private static int execute(Terminal terminal, ParseResult parsed) {
    boolean json = false;
    for (CommandLine command : parsed.asCommandLineList()) {
      json |= command.getParseResult().hasMatchedOption(JSON_OPTION);
    }
    terminal.useJson(json);
    return new CommandLine.RunLast().execute(parsed);
  }

  private static int failed(Terminal terminal, Exception e) throws Exception {
    if (e instanceof Failure failure) {
      terminal.failure(failure);
      return failure.exitCode();
    }
    throw e;
  }
}
