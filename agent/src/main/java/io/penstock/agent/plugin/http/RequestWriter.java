package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.AsciiString;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.http.FieldFate;
import io.penstock.codec.http.HopByHop;
import java.nio.charset.StandardCharsets;

/// Writes the head of a request to a system from parsed fields (protocol, "HTTP through the
/// tunnel"): its own Host, our three fields in place of any the caller sent, and nothing that ends
/// at this hop.
final class RequestWriter {
  private static final AsciiString VERSION = AsciiString.cached(" HTTP/1.1\r\nHost: ");
  private static final AsciiString TRACEPARENT = AsciiString.cached("\r\nTraceparent: ");
  private static final AsciiString REQUEST_ID = AsciiString.cached("\r\nPenstock-Request-Id: ");
  private static final AsciiString CALLER = AsciiString.cached("\r\nPenstock-Caller: ");
  private static final AsciiString CHUNKED = AsciiString.cached("Transfer-Encoding: chunked\r\n");
  private static final AsciiString EMPTY = AsciiString.cached("Content-Length: 0\r\n");
  private static final AsciiString SEPARATOR = AsciiString.cached(": ");
  private static final AsciiString LINE_END = AsciiString.cached("\r\n");

  private RequestWriter() {}

  /// What of OPEN could not be written safely. Names and values of fields were checked as they were
  /// read; the path by the catalog.
  static void check(OpenHead open, RequestHead request) throws ProtocolException {
    if (!isMethod(request.method())) {
      throw new ProtocolException(ErrorCode.BAD_REQUEST, "expected a method that can be sent");
    }
    for (int i = 0; i < open.caller().length(); i++) {
      char c = open.caller().charAt(i);
      if (c < ' ' || c >= 0x7f) {
        throw new ProtocolException(ErrorCode.BAD_REQUEST, "expected a printable caller");
      }
    }
  }

  /// CONNECT makes a tunnel of the connection, and is another kind of stream.
  private static boolean isMethod(AsciiString method) {
    if (method.isEmpty() || method.length() > 32 || method.contentEquals("CONNECT")) {
      return false;
    }
    for (int i = 0; i < method.length(); i++) {
      char c = method.charAt(i);
      boolean letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      if (!letter && "!#$%&'*+-.^_`|~".indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }

  static void head(
      ByteBuf out,
      Origin origin,
      Credentials credentials,
      OpenHead open,
      RequestHead request,
      RequestBody body) {
    write(out, request.method());
    out.writeByte(' ');
    write(out, origin.basePath());
    write(out, request.path());
    write(out, VERSION);
    write(out, origin.authority());
    write(out, TRACEPARENT);
    write(out, open.ids().traceparent());
    write(out, REQUEST_ID);
    write(out, open.ids().requestId());
    if (!open.caller().isEmpty()) {
      write(out, CALLER);
      write(out, open.caller());
    }
    write(out, LINE_END);
    credentials.write(out);
    fields(out, request.fields(), credentials);
    switch (body.kind()) {
      case CHUNKED -> write(out, CHUNKED);
      case NONE -> writeEmpty(out, request.method());
      case LENGTH -> {}
    }
    write(out, LINE_END);
  }

  /// RFC 9110, section 8.6: methods whose content has a meaning say that there is none.
  private static void writeEmpty(ByteBuf out, AsciiString method) {
    if (method.contentEquals("POST")
        || method.contentEquals("PUT")
        || method.contentEquals("PATCH")) {
      write(out, EMPTY);
    }
  }

  private static void fields(ByteBuf out, Fields fields, Credentials credentials) {
    HopByHop named = HopByHop.of(fields);
    for (int i = 0; i < fields.count(); i++) {
      CharSequence name = fields.name(i);
      FieldFate fate = FieldFate.of(name);
      boolean passes =
          fate != FieldFate.STAY
              && !FieldFate.isOurs(name)
              && !credentials.replaces(name)
              && !named.ends(name);
      if (fate == FieldFate.CONTENT_LENGTH || passes) {
        field(out, name, fields.value(i));
      }
    }
  }

  /// Trailers have no say in framing, routing or who sent the message.
  static void trailers(ByteBuf out, Fields trailers, Credentials credentials) {
    for (int i = 0; i < trailers.count(); i++) {
      CharSequence name = trailers.name(i);
      if (FieldFate.of(name) == FieldFate.PASS
          && !FieldFate.isOurs(name)
          && !credentials.replaces(name)) {
        field(out, name, trailers.value(i));
      }
    }
  }

  private static void field(ByteBuf out, CharSequence name, CharSequence value) {
    name(out, name);
    write(out, value);
    lineEnd(out);
  }

  /// A field up to its value.
  static void name(ByteBuf out, CharSequence name) {
    write(out, name);
    write(out, SEPARATOR);
  }

  static void lineEnd(ByteBuf out) {
    write(out, LINE_END);
  }

  private static void write(ByteBuf out, CharSequence text) {
    if (text instanceof AsciiString ascii) {
      ByteBufUtil.copy(ascii, out);
    } else {
      out.writeCharSequence(text, StandardCharsets.ISO_8859_1);
    }
  }
}
