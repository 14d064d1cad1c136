package io.penstock.codec.message;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/// Control messages to CBOR and back.
public final class Messages {
  private static final ObjectMapper CBOR =
      CBORMapper.builder(
              CBORFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(16)
                          .maxDocumentLength(Protocol.MAX_CONTROL_BYTES)
                          .build())
                  .build())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_INVALID_SUBTYPE)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .build();

  /// Major type 5 of RFC 8949.
  private static final int CBOR_MAP = 5 << 5;

  private Messages() {}

  public static byte[] encode(ControlMessage message) {
    try {
      return CBOR.writerFor(ControlMessage.class).writeValueAsBytes(message);
    } catch (JsonProcessingException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /// Empty for a message of a name that is new to us.
  public static Optional<ControlMessage> decode(byte[] bytes) throws ProtocolException {
    if (bytes.length == 0 || (bytes[0] & 0xe0) != CBOR_MAP) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected a control message, found no CBOR map");
    }
    try {
      return Optional.ofNullable(CBOR.readValue(bytes, ControlMessage.class));
    } catch (IOException | RuntimeException malformed) {
      // The cause may quote the peer's bytes: it stays out of the message.
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR,
          "expected a control message, found "
              + bytes.length
              + " bytes that are none ("
              + malformed.getClass().getSimpleName()
              + ")");
    }
  }

  /// Decodes where exactly one kind of message is due.
  public static <M extends ControlMessage> M decode(byte[] bytes, Class<M> expected)
      throws ProtocolException {
    ControlMessage message = decode(bytes).orElse(null);
    if (!expected.isInstance(message)) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR,
          "expected "
              + expected.getSimpleName()
              + ", found "
              + (message == null ? "an unknown message" : message.getClass().getSimpleName()));
    }
    return expected.cast(message);
  }
}
