package io.penstock.broker.tunnel;

import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.ConfigurationRequest;
import java.util.concurrent.CompletionStage;

/// A stream of kind `config`, on which an agent asked for a document (`docs/protocol.md`, section
/// 6). Is answered once; its methods may be called on any thread.
public interface DocumentStream {
  ConfigurationRequest request();

  /// Nobody waits for an answer any more. Any thread.
  boolean isOver();

  /// HEAD 200 and the document, as fast as the agent takes it.
  ///
  /// @param document CBOR; nobody changes it
  /// @return done when the stream is over, in whichever way
  CompletionStage<Void> send(byte[] document);

  /// HEAD 404.
  void missing();

  /// Cuts the stream; nothing happens when it is over.
  ///
  /// @param code one that ends a stream
  void refuse(ErrorCode code, String text);
}
