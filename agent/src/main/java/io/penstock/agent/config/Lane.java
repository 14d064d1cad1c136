package io.penstock.agent.config;

import io.penstock.codec.seal.HeldVersion;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// One system's messages in their order, and what its attempts have come to. One owner.
final class Lane {
  /// The first may be under way.
  final ArrayDeque<Asked> asked = new ArrayDeque<>();

  /// What [Retries] knows of the system is about this version.
  @Nullable HeldVersion tried;

  /// For a reason that lasts: not tried again before the next tunnel.
  @Nullable HeldVersion refused;
}
