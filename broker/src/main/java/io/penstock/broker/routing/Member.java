package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.exposure.ExposureRules;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.SystemRules;
import java.util.HashMap;
import java.util.Map;

/// A session and what it serves, its rules compiled.
///
/// @param told false until the agent has said what it serves
/// @param systems those with a live instance
record Member(LiveSession session, boolean told, Map<String, ExposureRules> systems) {

  static Member of(LiveSession session, boolean told) {
    return new Member(session, told, told ? compile(session.rules()) : Map.of());
  }

  private static Map<String, ExposureRules> compile(EffectiveRules rules) {
    var systems = new HashMap<String, ExposureRules>();
    for (SystemRules one : rules.systems()) {
      if (one.live()) {
        systems.put(one.system(), ExposureRules.of(one.allow()));
      }
    }
    return Map.copyOf(systems);
  }

  boolean serves(String system) {
    return systems.containsKey(system);
  }

  boolean allows(String system, CharSequence method, CharSequence path) {
    ExposureRules rules = systems.get(system);
    return rules != null && rules.allows(method, path);
  }

  boolean takesStreams() {
    return session.isOpen() && !session.draining();
  }

  /// What waiting for one more answer costs here: streams under way × round trip. A session whose
  /// round trip is not known counts as one of a millisecond.
  double cost() {
    long roundTrip = session.roundTripNanos();
    return (session.outstanding() + 1.0) * (roundTrip == 0 ? 1_000_000 : roundTrip);
  }
}
