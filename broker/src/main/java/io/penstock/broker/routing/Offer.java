package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.exposure.ExposureRules;
import io.penstock.codec.message.ControlMessage.Allow;
import java.util.Arrays;
import java.util.List;

/// The sessions of a site that serve one system under the same rules, in no order; the rules are
/// compiled once for all of them. Changed by one thread at a time, read by any.
///
/// Thousands of agents may come at once: of a change an array is copied, nothing is made for each
/// session.
final class Offer {
  private static final LiveSession[] NOBODY = {};

  private final Terms terms;
  private final ExposureRules rules;
  private volatile LiveSession[] sessions = NOBODY;

  /// What its sessions have in common.
  record Terms(String system, List<Allow> allow) {}

  Offer(Terms terms) {
    this.terms = terms;
    rules = ExposureRules.of(terms.allow());
  }

  Terms terms() {
    return terms;
  }

  boolean allows(CharSequence method, CharSequence path) {
    return rules.allows(method, path);
  }

  /// As they are now. Nobody changes the array.
  LiveSession[] sessions() {
    return sessions;
  }

  boolean isEmpty() {
    return sessions.length == 0;
  }

  void add(LiveSession session) {
    LiveSession[] next = Arrays.copyOf(sessions, sessions.length + 1);
    next[sessions.length] = session;
    sessions = next;
  }

  void remove(LiveSession session) {
    LiveSession[] before = sessions;
    for (int i = 0; i < before.length; i++) {
      if (before[i].equals(session)) {
        LiveSession[] next = Arrays.copyOf(before, before.length - 1);
        if (i < next.length) {
          next[i] = before[next.length];
        }
        sessions = next;
        return;
      }
    }
  }
}
