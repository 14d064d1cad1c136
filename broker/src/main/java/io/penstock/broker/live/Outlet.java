package io.penstock.broker.live;

/// Where a stream's events go: one connection. On its own thread.
public interface Outlet {
  /// What was written has not left yet: write nothing more.
  boolean writeQueueFull();

  void write(String text);

  /// Nothing follows.
  void end();
}
