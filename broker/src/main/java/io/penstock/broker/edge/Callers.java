package io.penstock.broker.edge;

import java.net.SocketAddress;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/// Who a token stands for. Called on event loops: thread-safe, never blocks.
public interface Callers {

  /// The fast path: a token that was found good a moment ago.
  Optional<Caller> cached(BearerToken token);

  /// The full check; may complete on any thread. Audits and counts failures by itself.
  CompletionStage<CallerVerdict> authenticate(BearerToken token, SocketAddress remote);
}
