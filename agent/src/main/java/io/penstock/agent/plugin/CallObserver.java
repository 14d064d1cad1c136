package io.penstock.agent.plugin;

import io.penstock.codec.OpenHead;

/// Hears of every call of a system, for spans. On the tunnels' event loop; never blocks.
public interface CallObserver {
  /// Watches nothing, and costs nothing.
  CallObserver NONE =
      new CallObserver() {
        @Override
        public boolean watches() {
          return false;
        }

        @Override
        public OpenHead begin(OpenHead received) {
          return received;
        }

        @Override
        public void ended(OpenHead received, OpenHead told, Ended how) {}
      };

  /// Whether [#ended] has anything to do.
  default boolean watches() {
    return true;
  }

  /// What the system is told of a call, in place of what the broker said.
  OpenHead begin(OpenHead received);

  /// @param told what [#begin] answered
  void ended(OpenHead received, OpenHead told, Ended how);

  /// How a call went. Times are on one monotonic scale; 0 = it did not come so far.
  ///
  /// @param method of the request
  /// @param status of the system's answer; 0 = there was none
  /// @param complete the answer was whole
  /// @param connectedNanos a connection to the system stood
  record Ended(
      String method,
      int status,
      boolean complete,
      long openedNanos,
      long connectedNanos,
      long endedNanos) {}
}
