package io.penstock.broker.delivery;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Agents whose queue wants looking at, each at most once, and each with one sender at a time: who
/// is called again while he is served comes again afterwards. As long as there are live agents.
/// Thread-safe.
final class Line {
  private final LinkedHashSet<String> waiting = new LinkedHashSet<>();
  private final Set<String> served = new HashSet<>();
  private final Set<String> again = new HashSet<>();
  private boolean closed;

  synchronized void add(String agent) {
    if (served.contains(agent)) {
      again.add(agent);
    } else {
      waiting.add(agent);
      notifyAll();
    }
  }

  /// Waits for at least one. Empty: closed.
  synchronized List<String> take(int most) throws InterruptedException {
    while (waiting.isEmpty() && !closed) {
      wait();
    }
    var taken = new ArrayList<String>();
    while (!closed && taken.size() < most && !waiting.isEmpty()) {
      String agent = waiting.removeFirst();
      served.add(agent);
      taken.add(agent);
    }
    return taken;
  }

  synchronized void done(List<String> agents) {
    agents.forEach(served::remove);
    agents.stream().filter(again::remove).forEach(waiting::add);
    notifyAll();
  }

  synchronized void close() {
    closed = true;
    notifyAll();
  }
}
