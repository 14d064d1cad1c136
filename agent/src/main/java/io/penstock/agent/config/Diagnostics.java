package io.penstock.agent.config;

/// What an operator is told who asks how this agent fares, in one line and without secrets.
final class Diagnostics {
  private final String version;
  private final StateKeeper keeper;
  private final Freshness freshness;
  private final Announcements announcements;
  private final Deployments deployments;

  Diagnostics(
      String version,
      StateKeeper keeper,
      Freshness freshness,
      Announcements announcements,
      Deployments deployments) {
    this.version = version;
    this.keeper = keeper;
    this.freshness = freshness;
    this.announcements = announcements;
    this.deployments = deployments;
  }

  String text() {
    AppliedState state = keeper.state();
    var text = new StringBuilder();
    text.append("agent ")
        .append(version)
        .append(", java ")
        .append(Runtime.version().feature())
        .append("; tunnels ")
        .append(announcements.lines().size())
        .append("; head ")
        .append(state.incarnation())
        .append('/')
        .append(state.sequence())
        .append(freshness.isStale() ? " STALE" : "")
        .append("; systems ");
    for (SystemStatus each : deployments.statuses()) {
      text.append(each.system())
          .append(' ')
          .append(each.held().version())
          .append(' ')
          .append(each.state().text());
      each.problem().ifPresent(it -> text.append(" (").append(it).append(')'));
      text.append("; ");
    }
    return text.toString();
  }
}
