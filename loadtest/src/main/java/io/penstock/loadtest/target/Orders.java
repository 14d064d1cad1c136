package io.penstock.loadtest.target;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The orders of the example ERP, as JSON texts. Keeps the newest; shared by all connections.
final class Orders {
  private static final int MOST = 1_000;

  private final TreeMap<Long, String> orders = new TreeMap<>();
  private long last;

  Orders() {
    add("{\"item\":\"bolt M8\",\"quantity\":400}");
    add("{\"item\":\"nut M8\",\"quantity\":400}");
    add("{\"item\":\"washer 8.4\",\"quantity\":1000}");
  }

  /// The body must be a JSON object; the answer is the same object with its id.
  synchronized Optional<String> add(String body) {
    String text = body.strip();
    if (!text.startsWith("{") || !text.endsWith("}")) {
      return Optional.empty();
    }
    long id = ++last;
    String inner = text.substring(1, text.length() - 1).strip();
    String order = "{\"id\":" + id + (inner.isEmpty() ? "" : "," + inner) + "}";
    orders.put(id, order);
    if (orders.size() > MOST) {
      orders.pollFirstEntry();
    }
    return Optional.of(order);
  }

  synchronized Optional<String> get(long id) {
    return Optional.ofNullable(orders.get(id));
  }

  synchronized String list() {
    return orders.entrySet().stream()
        .map(Map.Entry::getValue)
        .collect(Collectors.joining(",", "[", "]"));
  }
}
