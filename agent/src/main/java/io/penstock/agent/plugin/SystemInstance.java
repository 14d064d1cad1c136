package io.penstock.agent.plugin;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;

/// One system that is served. Everything happens on the event loop of the tunnels.
public interface SystemInstance extends AutoCloseable {

  /// A stream for this system; may reset it before returning. Must not block.
  ///
  /// @param rest the kind's own part of OPEN, valid during the call
  /// @throws ProtocolException when `rest` is malformed: the stream is reset, untouched
  StreamListener open(OpenHead head, ByteBuf rest, boolean end, MuxStream stream)
      throws ProtocolException;

  /// Takes no new streams and closes what is idle; running streams finish.
  @Override
  void close();
}
