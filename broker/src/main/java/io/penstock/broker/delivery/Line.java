package io.penstock.broker.delivery;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

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

  /// Hands agents to `work`, at most `most` at once, until it is closed or interrupted. One thread
  /// of several, maybe.
  void serve(int most, Consumer<List<String>> work) {
    try {
      for (List<String> agents = take(most); !agents.isEmpty(); agents = take(most)) {
        work.accept(agents);
        done(agents);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Waits for at least one. Empty: closed.
  private synchronized List<String> take(int most) throws InterruptedException {
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

  private synchronized void done(List<String> agents) {
    agents.forEach(served::remove);
    agents.stream().filter(again::remove).forEach(waiting::add);
    notifyAll();
  }

  synchronized void close() {
    closed = true;
    notifyAll();
  }
}
