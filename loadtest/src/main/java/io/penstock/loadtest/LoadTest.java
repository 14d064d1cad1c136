package io.penstock.loadtest;

import java.io.PrintStream;

/// The load harness's command. Its scenarios are not built yet; it says so instead of pretending.
public final class LoadTest {
  private static final int WRONG_USAGE = 2;

  private LoadTest() {}

  public static void main(String[] args) {
    System.exit(run(System.out, System.err, args));
  }

  static int run(PrintStream out, PrintStream err, String... args) {
    if (args.length == 0 || args[0].equals("--help") || args[0].equals("-h")) {
      out.println("Usage: penstock loadtest SCENARIO [--broker URL] [--out DIR]");
      out.println("Scenarios: none yet, they come with the load harness.");
      return 0;
    }
    err.println("penstock loadtest: no scenario is built yet; they come with the load harness");
    return WRONG_USAGE;
  }
}
