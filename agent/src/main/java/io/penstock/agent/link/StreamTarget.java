package io.penstock.agent.link;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;

/// Where streams of the broker go.
public interface StreamTarget {

  /// A stream was opened; may reset it before returning. On the tunnel's event loop.
  ///
  /// @param rest the kind's own part of OPEN, valid during the call
  StreamListener open(OpenHead head, ByteBuf rest, boolean end, MuxStream stream)
      throws ProtocolException;

  /// What is served, for the broker's early refusals.
  EffectiveRules effectiveRules();
}
