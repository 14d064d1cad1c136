package io.penstock.broker.tunnel;

/// Hears of admitted sessions: routing. Called on the session's event loop; must not block.
public interface SessionWatcher {
  void admitted(LiveSession session);

  /// The agent told its rules anew.
  void rulesChanged(LiveSession session);

  void closed(LiveSession session);
}
