package io.penstock.loadtest.demo;

import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.fault.PenstockProcess;
import io.penstock.loadtest.fault.Processes;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The main job in one go, with every step shown: what Penstock does, on one machine, in a minute.
@Command(
    name = "penstock demo",
    description = {
      "Starts a broker with an embedded Postgres, one agent and an example ERP; enrolls, approves,"
          + " and",
      "invokes the ERP through the tunnel. Then keeps running until Ctrl-C."
    },
    footer = {
      "",
      "Examples:",
      "  penstock demo              keeps running, state in .penstock/demo",
      "  penstock demo --once       ends after the last step, leaves nothing behind",
      "  penstock demo --json       the last line is one JSON object with URL, user and token",
      "",
      "Exit codes: 0 fine, 1 a step failed, 2 wrong usage."
    })
public final class Demo implements Callable<Integer> {
  private static final int DEFAULT_PORT = 8443;
  private static final int FINE = 0;
  private static final int FAILED = 1;

  private final PrintStream out;
  private final AtomicBoolean closed = new AtomicBoolean();

  @Option(names = "--once", description = "End after the last step; 0 if all went well.")
  boolean once;

  @Option(
      names = "--json",
      description = "The last line before it waits or ends is one JSON object.")
  boolean json;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Where state lives (default .penstock/demo here; with --once a temporary directory).")
  @Nullable Path data;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "The broker's port; 0 takes a free one (default 8443).")
  @Nullable Integer port;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  Demo(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(new CommandLine(new Demo(System.out)).setUsageHelpWidth(110).execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    int chosenPort = choosePort();
    if (chosenPort < 0) {
      return FAILED;
    }
    DemoDirectory directory = directory();
    out.println("Penstock demo, state in " + directory.path());
    Steps steps = new Steps(out);
    DemoRun run = new DemoRun(Home.find(), directory, chosenPort, steps);
    Thread onSignal = new Thread(() -> endBySignal(run, directory), "demo-end");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      run.run();
    } catch (Steps.StepFailed e) {
      return failed(run, directory, e);
    }
    out.println();
    run.nextSteps().forEach(out::println);
    if (once) {
      end(run, directory);
      printJson(run);
      return FINE;
    }
    out.println();
    out.println("Running until Ctrl-C.");
    printJson(run);
    return awaitDeath(run, directory);
  }

  private DemoDirectory directory() throws IOException {
    if (data != null) {
      return DemoDirectory.at(data);
    }
    return once ? DemoDirectory.temporaryOne() : DemoDirectory.at(DemoDirectory.defaultPath());
  }

  /// The port asked for; without a wish 8443, or another if that is taken. Negative: none.
  private int choosePort() {
    if (port == null) {
      if (isFree(DEFAULT_PORT)) {
        return DEFAULT_PORT;
      }
      int other = Processes.freePort();
      out.println("Port " + DEFAULT_PORT + " is in use: this demo takes " + other + ".");
      return other;
    }
    if (port == 0) {
      return Processes.freePort();
    }
    if (port < 0 || port > 65_535 || !isFree(port)) {
      System.err.println(
          "penstock demo: cannot use port " + port + ": choose another by --port (0 = any free)");
      return -1;
    }
    return port;
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }

  private int failed(DemoRun run, DemoDirectory directory, Steps.StepFailed failure)
      throws InterruptedException {
    leaveToSignal();
    System.err.println("penstock demo: " + failure.getMessage());
    end(run, directory);
    printJson(run);
    return FAILED;
  }

  private int awaitDeath(DemoRun run, DemoDirectory directory) throws InterruptedException {
    CompletableFuture<PenstockProcess> death = run.firstDeath();
    PenstockProcess dead = death.join();
    leaveToSignal();
    System.err.println(
        "penstock demo: the " + dead.name() + " ended. The end of " + dead.log() + ":");
    dead.logTail(25).forEach(System.err::println);
    end(run, directory);
    return FAILED;
  }

  /// After a signal the hook ends the process; what failed meanwhile failed because of that.
  private void leaveToSignal() throws InterruptedException {
    if (closed.get()) {
      Thread.currentThread().join();
    }
  }

  private void printJson(DemoRun run) {
    if (json) {
      out.println(run.asJson());
    }
    out.flush();
  }

  private void end(DemoRun run, DemoDirectory directory) {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    run.close();
    try {
      directory.cleanUp();
    } catch (IOException e) {
      System.err.println(
          "penstock demo: cannot remove " + directory.path() + ": " + e.getMessage());
    }
  }

  /// SIGINT and SIGTERM end the demo in order, and an end in order is exit code 0, which a JVM
  /// ended by a signal does not give by itself.
  private void endBySignal(DemoRun run, DemoDirectory directory) {
    if (closed.get()) {
      return;
    }
    end(run, directory);
    Runtime.getRuntime().halt(FINE);
  }
}
