package io.penstock.loadtest.fleet;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;

/// What one kind of connection says and hears, over a [Tunnel] that does the rest. On the event
/// loop.
interface Steps {
  String subprotocol();

  /// @param prologue binds the handshake to subprotocol and host
  Handshake handshake(byte[] prologue);

  /// Payload of message 1.
  byte[] hello();

  /// Payload of message 3.
  ///
  /// @param hash after message 2
  ControlMessage request(byte[] hash);

  /// @param hash after message 3
  void control(Tunnel tunnel, ControlMessage message, byte[] hash)
      throws ProtocolException, FleetException;

  /// A MESSAGE came.
  void message(Tunnel tunnel, long sequence, byte[] body) throws ProtocolException, FleetException;

  /// The broker opened a stream.
  ///
  /// @param head its whole OPEN payload
  StreamListener open(MuxStream stream, ByteBuf head) throws ProtocolException;

  /// What [Fleet#holdAnswers] kept back.
  void release(Tunnel tunnel);

  /// The connection is over.
  void ended(FleetException why);
}
