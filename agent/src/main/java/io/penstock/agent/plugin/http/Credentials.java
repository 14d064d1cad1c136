package io.penstock.agent.plugin.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The fields by which the agent proves itself to a system, on every request and in place of any
/// that a caller sent. Nobody outside of this class reads them, and they print nothing.
///
/// The bytes are wiped once the system is closed and its last call is over. What Java's strings
/// held of them on the way here is beyond reach. On the event loop, but for its making.
final class Credentials {
  static final Set<String> SETTINGS = Set.of("user", "header_name");
  private static final AsciiString AUTHORIZATION = AsciiString.cached("Authorization");

  private record Field(AsciiString name, byte[] value) {
    @Override
    public String toString() {
      return "Field[secret]";
    }
  }

  private final List<Field> fields;
  private int users;
  private boolean closed;

  private Credentials(List<Field> fields) {
    this.fields = List.copyOf(fields);
  }

  static Credentials none() {
    return new Credentials(List.of());
  }

  /// @param problems hears what does not fit together, never a value
  static Credentials read(JsonNode settings, JsonNode secrets, List<String> problems) {
    var fields = new ArrayList<Field>();
    Optional<String> user = text(settings, "user");
    Optional<String> password = text(secrets, "password");
    Optional<String> token = text(secrets, "bearer_token");
    Optional<String> headerName = text(settings, "header_name");
    Optional<String> headerValue = text(secrets, "header_value");
    requireBoth("user", user, "password", password, problems);
    requireBoth("header_name", headerName, "header_value", headerValue, problems);
    if (user.isPresent() && token.isPresent()) {
      problems.add("user: expected none beside bearer_token, found one");
    }
    if (user.isPresent() && password.isPresent()) {
      byte[] pair = (user.get() + ":" + password.get()).getBytes(StandardCharsets.UTF_8);
      fields.add(new Field(AUTHORIZATION, after("Basic ", Base64.getEncoder().encode(pair))));
      Arrays.fill(pair, (byte) 0);
    } else if (token.isPresent()) {
      fields.add(
          new Field(
              AUTHORIZATION, after("Bearer ", token.get().getBytes(StandardCharsets.US_ASCII))));
    }
    if (headerName.isPresent() && headerValue.isPresent()) {
      fields.add(
          new Field(
              AsciiString.of(headerName.get()),
              headerValue.get().getBytes(StandardCharsets.ISO_8859_1)));
    }
    for (Field field : fields) {
      requireOneLine(field, problems);
    }
    return new Credentials(fields);
  }

  private static Optional<String> text(JsonNode node, String key) {
    return node.path(key).isTextual() ? Optional.of(node.path(key).textValue()) : Optional.empty();
  }

  private static void requireBoth(
      String setting,
      Optional<String> first,
      String secret,
      Optional<String> second,
      List<String> problems) {
    if (first.isPresent() != second.isPresent()) {
      problems.add(
          (first.isPresent() ? setting : secret)
              + ": needs "
              + (first.isPresent() ? secret : setting));
    }
  }

  /// A reference may stand for anything: nothing of it gets into the next field or request.
  private static void requireOneLine(Field field, List<String> problems) {
    for (byte b : field.value()) {
      if ((b >= 0 && b < ' ') || b == 0x7f) {
        problems.add(field.name() + ": expected a value of one line, found control characters");
        return;
      }
    }
  }

  /// Takes `secret` over and wipes it.
  private static byte[] after(String scheme, byte[] secret) {
    byte[] prefix = scheme.getBytes(StandardCharsets.US_ASCII);
    byte[] value = Arrays.copyOf(prefix, prefix.length + secret.length);
    System.arraycopy(secret, 0, value, prefix.length, secret.length);
    Arrays.fill(secret, (byte) 0);
    return value;
  }

  /// Whether a caller's field of this name stays behind.
  boolean replaces(CharSequence name) {
    for (Field field : fields) {
      if (AsciiString.contentEqualsIgnoreCase(field.name(), name)) {
        return true;
      }
    }
    return false;
  }

  void write(ByteBuf out) {
    for (Field field : fields) {
      RequestWriter.name(out, field.name());
      out.writeBytes(field.value());
      RequestWriter.lineEnd(out);
    }
  }

  /// A call will need them.
  void borrow() {
    users++;
  }

  void giveBack() {
    users--;
    wipeWhenUnused();
  }

  /// No new call will need them.
  void close() {
    closed = true;
    wipeWhenUnused();
  }

  private void wipeWhenUnused() {
    if (closed && users == 0) {
      fields.forEach(field -> Arrays.fill(field.value(), (byte) 0));
    }
  }

  /// For tests: whether nothing is left.
  boolean isWiped() {
    return fields.stream().allMatch(field -> isZero(field.value()));
  }

  private static boolean isZero(byte[] bytes) {
    for (byte b : bytes) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return "Credentials[" + fields.size() + " secret]";
  }
}
