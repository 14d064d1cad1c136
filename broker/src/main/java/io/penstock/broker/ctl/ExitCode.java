package io.penstock.broker.ctl;

/// What a command tells its caller's shell, the same for every Penstock command.
final class ExitCode {
  static final int FINE = 0;
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;
  static final int CONFIGURATION_INVALID = 3;
  static final int REFUSED_FOR_GOOD = 4;
  static final int CANNOT_REACH = 5;

  private ExitCode() {}
}
