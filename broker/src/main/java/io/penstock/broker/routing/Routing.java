package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/// The routing table. Thread-safe and without locks on the read path: invocations ask it on any
/// event loop.
public interface Routing {

  Route find(String site, String system, String method, String path);

  /// Completes as soon as something changes for `site`, or after `within`; for calls that arrive
  /// while an agent reconnects. At most 1,024 waiters; beyond, it completes at once.
  CompletionStage<Void> awaitChange(String site, Duration within);

  void admitted(LiveSession session);

  /// The agent told its rules anew.
  void rulesChanged(LiveSession session);

  void closed(LiveSession session);
}
