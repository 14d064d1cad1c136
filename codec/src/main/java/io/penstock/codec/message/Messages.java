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

/// Control and delivery messages to CBOR and back.
public final class Messages {
  private static final ObjectMapper CBOR = mapper();

  /// Major type 5 of RFC 8949.
  private static final int CBOR_MAP = 5 << 5;

  private Messages() {}

  private static ObjectMapper mapper() {
    return CBORMapper.builder(
            CBORFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(16).build())
                .build())
        .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .disable(DeserializationFeature.FAIL_ON_INVALID_SUBTYPE)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .defaultPropertyInclusion(
            JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
        .build();
  }

  public static byte[] encode(ControlMessage message) {
    return write(ControlMessage.class, message);
  }

  /// Empty for a message of a name that is new to us.
  public static Optional<ControlMessage> decode(byte[] bytes) throws ProtocolException {
    return read(bytes, ControlMessage.class, Protocol.MAX_CONTROL_BYTES, "a control message");
  }

  /// The body of a MESSAGE frame.
  public static byte[] encode(DeliveryMessage message) {
    return write(DeliveryMessage.class, message);
  }

  /// Empty for a message or an instruction of a name that is new to us.
  public static Optional<DeliveryMessage> decodeDelivery(byte[] bytes) throws ProtocolException {
    return read(bytes, DeliveryMessage.class, Protocol.MAX_CONTROL_BYTES, "a delivery message")
        .filter(DeliveryMessage::isKnown);
  }

  /// The body of a RECEIPT frame.
  public static byte[] encode(DeliveryReceipt receipt) {
    return write(DeliveryReceipt.class, receipt);
  }

  public static DeliveryReceipt decodeReceipt(byte[] bytes) throws ProtocolException {
    return required(
        read(bytes, DeliveryReceipt.class, Protocol.MAX_CONTROL_BYTES, "a delivery receipt"));
  }

  /// The DATA of a stream that answers [ControlMessage.ConfigurationRequest].
  public static byte[] encode(ConfigurationDocument document) {
    return write(ConfigurationDocument.class, document);
  }

  public static ConfigurationDocument decodeDocument(byte[] bytes) throws ProtocolException {
    return required(
        read(
            bytes,
            ConfigurationDocument.class,
            ConfigurationDocument.MAX_BYTES,
            "a configuration document"));
  }

  private static <M> byte[] write(Class<M> type, M message) {
    try {
      return CBOR.writerFor(type).writeValueAsBytes(message);
    } catch (JsonProcessingException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  private static <M> Optional<M> read(byte[] bytes, Class<M> type, int maxBytes, String expected)
      throws ProtocolException {
    if (bytes.length > maxBytes) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR,
          "expected " + expected + " of at most " + maxBytes + " bytes, found " + bytes.length);
    }
    if (bytes.length == 0 || (bytes[0] & 0xe0) != CBOR_MAP) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected " + expected + ", found no CBOR map");
    }
    try {
      return Optional.ofNullable(CBOR.readValue(bytes, type));
    } catch (IOException | RuntimeException malformed) {
      // The cause may quote the peer's bytes: it stays out of the message.
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR,
          "expected "
              + expected
              + ", found "
              + bytes.length
              + " bytes that are none ("
              + malformed.getClass().getSimpleName()
              + ")");
    }
  }

  private static <M> M required(Optional<M> message) {
    return message.orElseThrow(
        () -> new IllegalStateException("a CBOR map of a record without subtypes is not null"));
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
