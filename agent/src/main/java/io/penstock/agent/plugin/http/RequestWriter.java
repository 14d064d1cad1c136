package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.AsciiString;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.RequestHead;
import io.penstock.codec.http.HopByHop;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Writes a request for a system from its parsed parts: never a caller's raw bytes, its own Host,
/// exactly one framing, nothing that ends at this hop.
final class RequestWriter {
  private static final AsciiString HOST = AsciiString.cached("host");
  private static final AsciiString CONTENT_LENGTH = AsciiString.cached("content-length");
  private static final AsciiString CONNECTION = AsciiString.cached("connection");
  private static final AsciiString TRACEPARENT = AsciiString.cached("traceparent");
  private static final AsciiString REQUEST_ID = AsciiString.cached("penstock-request-id");
  private static final AsciiString CALLER = AsciiString.cached("penstock-caller");

  private static final AsciiString VERSION_AND_HOST = AsciiString.cached(" HTTP/1.1\r\nHost: ");
  private static final AsciiString OUR_TRACEPARENT = AsciiString.cached("\r\nTraceparent: ");
  private static final AsciiString OUR_REQUEST_ID = AsciiString.cached("\r\nPenstock-Request-Id: ");
  private static final AsciiString OUR_CALLER = AsciiString.cached("\r\nPenstock-Caller: ");
  private static final AsciiString LENGTH = AsciiString.cached("\r\nContent-Length: ");
  private static final AsciiString CHUNKED = AsciiString.cached("\r\nTransfer-Encoding: chunked");
  private static final AsciiString HEAD_END = AsciiString.cached("\r\n\r\n");
  private static final AsciiString LAST_CHUNK = AsciiString.cached("0\r\n");
  private static final int CRLF = '\r' << 8 | '\n';
  private static final int COLON_SPACE = ':' << 8 | ' ';

  private final HttpSettings settings;

  RequestWriter(HttpSettings settings) {
    this.settings = settings;
  }

  void head(ByteBuf out, OpenHead open, RequestHead head, RequestBody body) {
    text(out, head.method());
    out.writeByte(' ');
    text(out, settings.basePath());
    text(out, head.path());
    text(out, VERSION_AND_HOST);
    text(out, settings.hostHeader());
    fields(out, head.fields());
    text(out, OUR_TRACEPARENT);
    out.writeCharSequence(open.ids().traceparent(), StandardCharsets.US_ASCII);
    text(out, OUR_REQUEST_ID);
    out.writeCharSequence(open.ids().requestId(), StandardCharsets.US_ASCII);
    if (!open.caller().isEmpty()) {
      text(out, OUR_CALLER);
      text(out, open.caller());
    }
    framing(out, body);
    text(out, HEAD_END);
  }

  private static void framing(ByteBuf out, RequestBody body) {
    if (body.isChunked()) {
      text(out, CHUNKED);
    } else if (body.saysLength()) {
      text(out, LENGTH);
      out.writeCharSequence(Long.toString(body.length()), StandardCharsets.US_ASCII);
    }
  }

  private static void fields(ByteBuf out, Fields fields) {
    HopByHop hop = HopByHop.namedBy(connectionValues(fields));
    for (int i = 0; i < fields.count(); i++) {
      CharSequence name = fields.name(i);
      if (!isOurs(name) && !hop.ends(name)) {
        out.writeShort(CRLF);
        text(out, name);
        out.writeShort(COLON_SPACE);
        text(out, fields.value(i));
      }
    }
  }

  private static List<CharSequence> connectionValues(Fields fields) {
    List<CharSequence> values = List.of();
    for (int i = 0; i < fields.count(); i++) {
      if (is(fields.name(i), CONNECTION)) {
        if (values.isEmpty()) {
          values = new ArrayList<>(1);
        }
        values.add(fields.value(i));
      }
    }
    return values;
  }

  /// What is written anew, so that a caller cannot say it.
  private static boolean isOurs(CharSequence name) {
    return switch (name.length()) {
      case 4 -> is(name, HOST);
      case 11 -> is(name, TRACEPARENT);
      case 14 -> is(name, CONTENT_LENGTH);
      case 15 -> is(name, CALLER);
      case 19 -> is(name, REQUEST_ID);
      default -> false;
    };
  }

  static boolean isContentLength(CharSequence name) {
    return is(name, CONTENT_LENGTH);
  }

  private static boolean is(CharSequence name, AsciiString lowerCase) {
    return lowerCase.contentEqualsIgnoreCase(name);
  }

  /// The line before a chunk's bytes.
  static void chunkHead(ByteBuf out, int bytes) {
    out.writeCharSequence(Integer.toHexString(bytes), StandardCharsets.US_ASCII);
    out.writeShort(CRLF);
  }

  static void crlf(ByteBuf out) {
    out.writeShort(CRLF);
  }

  /// The last chunk, with trailers.
  static void lastChunk(ByteBuf out, Fields trailers) {
    text(out, LAST_CHUNK);
    for (int i = 0; i < trailers.count(); i++) {
      text(out, trailers.name(i));
      out.writeShort(COLON_SPACE);
      text(out, trailers.value(i));
      out.writeShort(CRLF);
    }
    out.writeShort(CRLF);
  }

  private static void text(ByteBuf out, CharSequence text) {
    if (text instanceof AsciiString ascii) {
      ByteBufUtil.copy(ascii, out);
    } else {
      out.writeCharSequence(text, StandardCharsets.ISO_8859_1);
    }
  }
}
