package io.penstock.broker.measure;

import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.edge.InvocationRecord.HopMicros;
import io.penstock.codec.RequestIds;
import java.util.SplittableRandom;

/// Invocations that are over, made up.
public final class Calls {
  private static final SplittableRandom RANDOM = new SplittableRandom(7);

  private Calls() {}

  public static InvocationRecord answered(String agent, String system, HopMicros hops) {
    return call(agent, system, 200, InvocationRecord.OK, hops);
  }

  /// A call of 1 ms in the broker, 2 in the tunnel, 3 in the agent, 4 in the system, 5 behind.
  public static InvocationRecord answered(String agent, String system) {
    return answered(agent, system, new HopMicros(1_000, 2_000, 3_000, 4_000, 15_000));
  }

  public static InvocationRecord failed(String agent, String system, long micros) {
    return call(agent, system, 504, "deadline", new HopMicros(micros, 0, 0, 0, micros));
  }

  public static InvocationRecord call(
      String agent, String system, int status, String verdict, HopMicros hops) {
    return new InvocationRecord(
        new RequestIds(RANDOM.nextLong(), RANDOM.nextLong(), 3, 4, 5, 1),
        true,
        "billing",
        "site",
        system,
        agent,
        "GET",
        status,
        verdict,
        false,
        10,
        20,
        hops,
        0);
  }
}
