package io.penstock.agent.link;

import io.penstock.agent.identity.BootId;
import io.penstock.agent.identity.Failpoint;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.seal.Octets;
import java.util.List;
import java.util.Optional;

/// What every dial of this process has in common.
///
/// @param brokers in the order they are tried; empty = the one of the identity
/// @param tls trust without the pin, which the identity adds
/// @param wantedName sent when the token leaves the name open
record Surroundings(
    Loop loop,
    Dialer dialer,
    List<BrokerAddress> brokers,
    TrustedTls tls,
    StreamTarget target,
    SessionCounters counters,
    LinkListener listener,
    BootId bootId,
    String version,
    String wantedName,
    HostFacts host,
    ConfigurationTarget configuration,
    Failpoint.Action failpoint) {

  Surroundings {
    brokers = List.copyOf(brokers);
  }

  /// @param attempt counts up, so that several brokers take turns
  BrokerAddress broker(int attempt, String fallbackUrl) throws LinkFailure {
    if (!brokers.isEmpty()) {
      return brokers.get(Math.floorMod(attempt, brokers.size()));
    }
    return BrokerAddress.parse(fallbackUrl)
        .orElseThrow(
            () -> LinkFailure.at(Stage.DNS, "expected an https URL of a broker, found none"));
  }

  Session.Duties duties() {
    return new Session.Duties(target, counters, configuration);
  }

  TrustedTls tlsFor(Optional<Octets> pin) {
    return tls.withPin(pin);
  }
}
