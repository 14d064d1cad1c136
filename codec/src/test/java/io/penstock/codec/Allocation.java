package io.penstock.codec;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/// How many bytes a call allocates on its own thread, for tests that hold the hot path to what its
/// design allows. Not a time: a busy machine changes nothing.
///
/// The compiler only ever takes allocations away, so a limit that holds in the interpreter holds.
/// What happens once (classes, caches, buffers of a pool) is over after the first calls, and the
/// least of several rounds is free of it.
public final class Allocation {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final int WARM_UP_CALLS = 500;
  private static final int ROUNDS = 10;
  private static final int CALLS = 200;

  private Allocation() {}

  /// What is measured.
  @FunctionalInterface
  public interface Call {
    void run() throws Exception;
  }

  public static long bytesPerCall(Call call) throws Exception {
    run(call, WARM_UP_CALLS);
    long least = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      run(call, CALLS);
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return least / CALLS;
  }

  private static void run(Call call, int times) throws Exception {
    for (int i = 0; i < times; i++) {
      call.run();
    }
  }
}
