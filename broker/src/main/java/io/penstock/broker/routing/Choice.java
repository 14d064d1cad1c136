package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;

/// Chooses where a call goes: the best of a few sessions chosen at random, so that a call costs the
/// same whether a site has ten tunnels or ten thousand.
///
/// That spreads load nearly as well as looking at all of them, and better where many callers look
/// at the same moment, because they do not all find the same one (M. Mitzenmacher, "The Power of
/// Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001). A site of at most [#MOST]
/// sessions is looked at whole.
final class Choice {
  /// The others are there for a call that the first one does not take.
  static final int MOST = 4;

  private static final long UNKNOWN_ROUND_TRIP_NANOS = 1_000_000;
  private static final Comparator<Priced> CHEAPEST = Comparator.comparingDouble(Priced::cost);

  private final IntUnaryOperator random;

  /// @param random a number below its argument, each as likely as the others; any thread
  Choice(IntUnaryOperator random) {
    this.random = random;
  }

  /// Cost is asked once per choice: it changes while others work.
  private record Priced(LiveSession session, double cost) {}

  /// At most [#MOST] that take streams, cheapest first, at random among equals. Empty: none of all
  /// takes streams.
  List<LiveSession> of(List<LiveSession[]> groups) {
    int all = groups.stream().mapToInt(group -> group.length).sum();
    if (all == 0) {
      return List.of();
    }
    int start = below(all);
    var found = new ArrayList<Priced>(MOST);
    // One out of each of a few equal parts, of which the first begins anywhere.
    int parts = Math.min(MOST, all);
    for (int i = 0; i < parts; i++) {
      int from = i * all / parts;
      int to = (i + 1) * all / parts;
      add(found, at(groups, (start + from + below(to - from)) % all));
    }
    for (int i = 0; i < all && found.isEmpty(); i++) {
      add(found, at(groups, (start + i) % all));
    }
    found.sort(CHEAPEST);
    return found.stream().map(Priced::session).toList();
  }

  private int below(int bound) {
    return bound == 1 ? 0 : random.applyAsInt(bound);
  }

  private static LiveSession at(List<LiveSession[]> groups, int index) {
    int left = index;
    for (LiveSession[] group : groups) {
      if (left < group.length) {
        return group[left];
      }
      left -= group.length;
    }
    throw new IndexOutOfBoundsException(index);
  }

  private static void add(List<Priced> found, LiveSession session) {
    if (session.isOpen() && !session.draining()) {
      found.add(new Priced(session, cost(session)));
    }
  }

  /// What waiting for one more answer costs there: streams under way × round trip. A session whose
  /// round trip is not known counts as one of a millisecond.
  private static double cost(LiveSession session) {
    long roundTrip = session.roundTripNanos();
    return (session.outstanding() + 1.0) * (roundTrip == 0 ? UNKNOWN_ROUND_TRIP_NANOS : roundTrip);
  }
}
