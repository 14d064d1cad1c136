package io.penstock.agent;

import io.netty.buffer.ByteBuf;
import io.penstock.agent.link.StreamTarget;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;

/// Leads the link's streams to the systems; the two packages do not know each other.
record ServedStreams(SystemCatalog catalog) implements StreamTarget {
  @Override
  public StreamListener open(OpenHead head, ByteBuf rest, boolean end, MuxStream stream)
      throws ProtocolException {
    return catalog.open(head, rest, end, stream);
  }

  @Override
  public EffectiveRules effectiveRules() {
    return catalog.effectiveRules();
  }
}
