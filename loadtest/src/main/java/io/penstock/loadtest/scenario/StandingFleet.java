package io.penstock.loadtest.scenario;

/// Simulated agents of one site that are connected before the warm-up, stay so during the whole
/// run, and answer requests.
///
/// @param agents of one process, enrolled first
/// @param answerBytes of each answer's body
record StandingFleet(int agents, String site, int answerBytes) {
  /// Narrower than what a broker takes.
  static final String SITE = "[a-z][a-z0-9-]{0,31}";

  static final int MAX_ANSWER_BYTES = 64 * 1024 * 1024;

  StandingFleet of(int others) {
    return new StandingFleet(others, site, answerBytes);
  }
}
