package io.penstock.broker.edge;

import io.netty.channel.ChannelHandler;
import io.penstock.codec.http.HeadLimits;
import io.penstock.codec.http.InvocationPath;
import java.util.function.Supplier;

/// The strict gate of invocations, ready for wiring.
public final class InvocationGates {
  private InvocationGates() {}

  /// Targets with one reading only.
  public static TargetGate targets() {
    return target -> InvocationPath.judge(target) == InvocationPath.Judgement.CLEAN;
  }

  /// A new request decoder for each connection of the public port.
  ///
  /// @param headBytes largest head; beyond, 431
  public static Supplier<ChannelHandler> requestDecoder(int headBytes) {
    HeadLimits limits = HeadLimits.DEFAULT.withHeadBytes(headBytes);
    return () -> new StrictRequestDecoder(limits);
  }
}
