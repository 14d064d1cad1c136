package io.penstock.agent.plugin.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.penstock.codec.Fields;
import io.penstock.codec.http.FieldFate;
import io.penstock.codec.http.HopByHop;
import java.util.Iterator;
import java.util.Map;

/// What of a system's answer travels on: everything that does not end at this hop.
final class AnswerReader {
  private AnswerReader() {}

  static Fields fields(HttpHeaders headers) {
    HopByHop named =
        HopByHop.namedBy(headers.valueCharSequenceIterator(HttpHeaderNames.CONNECTION));
    var fields = new Fields(headers.size());
    Iterator<Map.Entry<CharSequence, CharSequence>> all = headers.iteratorCharSequence();
    while (all.hasNext()) {
      Map.Entry<CharSequence, CharSequence> field = all.next();
      CharSequence name = field.getKey();
      FieldFate fate = FieldFate.of(name);
      if (fate == FieldFate.CONTENT_LENGTH || (fate != FieldFate.STAY && !named.ends(name))) {
        fields.add(name, field.getValue());
      }
    }
    return fields;
  }

  static Fields trailers(HttpHeaders headers) {
    var fields = new Fields(headers.size());
    Iterator<Map.Entry<CharSequence, CharSequence>> all = headers.iteratorCharSequence();
    while (all.hasNext()) {
      Map.Entry<CharSequence, CharSequence> field = all.next();
      if (FieldFate.of(field.getKey()) == FieldFate.PASS) {
        fields.add(field.getKey(), field.getValue());
      }
    }
    return fields;
  }

  /// Whether the system keeps the connection open after this answer (RFC 9112, section 9.3); with
  /// HTTP/1.0 nobody can be sure.
  static boolean keepsConnection(HttpResponse response) {
    return response.protocolVersion().equals(HttpVersion.HTTP_1_1)
        && !response
            .headers()
            .containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE, true);
  }
}
