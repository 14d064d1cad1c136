package io.penstock.agent.plugin;

import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;

/// A system that can be called. On the tunnels' event loop.
public interface SystemInstance {

  /// A stream whose method and path are exposed; may reset it before returning.
  ///
  /// @param end no body follows
  /// @throws ProtocolException when the request cannot be written as HTTP; nothing was sent
  StreamListener open(OpenHead head, RequestHead request, boolean end, MuxStream stream)
      throws ProtocolException;

  /// Takes no new streams; running ones go to their end.
  void close();
}
