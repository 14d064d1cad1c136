package io.penstock.agent;

/// Exit codes of the contract.
final class ExitCode {
  static final int FINE = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int CONFIGURATION = 3;
  static final int REFUSED_FOR_GOOD = 4;

  private ExitCode() {}
}
