package io.penstock.codec;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.List;

/// HTTP fields in order, duplicates kept: `count u16, count × (name text16, value text16)`.
///
/// What was read is safe to write into an HTTP/1.1 message: names are tokens, values hold no
/// control characters (RFC 9110, section 5.5).
public final class Fields {
  private final List<CharSequence> namesAndValues;

  public Fields() {
    this(16);
  }

  public Fields(int expected) {
    namesAndValues = new ArrayList<>(2 * expected);
  }

  /// Who gets the fields of [#forEach].
  @FunctionalInterface
  public interface Visitor {
    void field(CharSequence name, CharSequence value);
  }

  public Fields add(CharSequence name, CharSequence value) {
    namesAndValues.add(name);
    namesAndValues.add(value);
    return this;
  }

  public int count() {
    return namesAndValues.size() / 2;
  }

  public CharSequence name(int index) {
    return namesAndValues.get(2 * index);
  }

  public CharSequence value(int index) {
    return namesAndValues.get(2 * index + 1);
  }

  public void forEach(Visitor visitor) {
    for (int i = 0; i < namesAndValues.size(); i += 2) {
      visitor.field(namesAndValues.get(i), namesAndValues.get(i + 1));
    }
  }

  public void write(ByteBuf out) {
    out.writeShort(count());
    for (CharSequence text : namesAndValues) {
      Text.write16(out, text);
    }
  }

  public static Fields read(ByteBuf in) throws ProtocolException {
    Text.need(in, 2, "field count");
    int count = in.readUnsignedShort();
    // Each field takes at least 5 bytes: a count beyond that is a lie, seen before anything is
    // allocated.
    Text.need(in, 5 * count, "fields");
    var fields = new Fields(count);
    for (int i = 0; i < count; i++) {
      fields.add(name(Text.read16(in, "field name")), value(Text.read16(in, "field value")));
    }
    return fields;
  }

  private static AsciiString name(AsciiString name) throws ProtocolException {
    if (name.isEmpty()) {
      throw new ProtocolException(ErrorCode.BAD_REQUEST, "expected a field name, found none");
    }
    byte[] bytes = name.array();
    for (byte b : bytes) {
      if (!isTokenByte(b)) {
        throw new ProtocolException(
            ErrorCode.BAD_REQUEST, "expected a token as field name, found byte " + b);
      }
    }
    return name;
  }

  private static AsciiString value(AsciiString value) throws ProtocolException {
    byte[] bytes = value.array();
    for (byte b : bytes) {
      if ((b >= 0 && b < 0x20 && b != '\t') || b == 0x7f) {
        throw new ProtocolException(
            ErrorCode.BAD_REQUEST, "expected a field value, found control byte " + b);
      }
    }
    return value;
  }

  private static boolean isTokenByte(byte b) {
    return (b >= 'a' && b <= 'z')
        || (b >= 'A' && b <= 'Z')
        || (b >= '0' && b <= '9')
        || "!#$%&'*+-.^_`|~".indexOf(b) >= 0;
  }
}
