package io.penstock.codec.session;

/// Time as a session sees it.
public interface Clock {
  /// Monotonic nanoseconds, for everything that is measured or waited for.
  long nanoTime();

  /// Wall clock in milliseconds since 1970, only ever told to the peer.
  long wallClockMs();

  /// The clock of this machine.
  Clock SYSTEM =
      new Clock() {
        @Override
        public long nanoTime() {
          return System.nanoTime();
        }

        @Override
        public long wallClockMs() {
          return System.currentTimeMillis();
        }
      };
}
