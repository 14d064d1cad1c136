package io.penstock.agent.link;

import io.penstock.codec.ErrorCode;
import java.time.Duration;

/// What the process hears of its tunnels. Called on the slots' threads; must not block long.
public interface LinkListener {
  /// Enrolled, waiting for an operator; told again while it lasts.
  void pending(String agent, String site, String fingerprint);

  void approved(String agent);

  void admitted(int slot, BrokerAddress broker, long sessionEpoch);

  /// A dial or a tunnel failed; another try follows.
  void failed(int slot, LinkFailure failure, Duration nextTry);

  /// The broker goes away; a new tunnel is opened beside the old one.
  void draining(int slot, Duration nextTry);

  /// Refused for good: the process ends.
  ///
  /// @param wiped a signed revocation came, and nothing of the identity is left
  void refusedForGood(ErrorCode code, String text, boolean wiped);
}
