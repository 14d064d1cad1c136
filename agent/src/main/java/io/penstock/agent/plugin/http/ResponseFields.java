package io.penstock.agent.plugin.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.penstock.codec.Fields;
import io.penstock.codec.http.HopByHop;
import java.util.Iterator;
import java.util.Map;

/// What of a system's fields passes on: everything that does not end at this hop. Location is not
/// rewritten, bodies are not decoded.
final class ResponseFields {
  private ResponseFields() {}

  static Fields of(HttpHeaders headers) {
    HopByHop hop = HopByHop.namedBy(headers.getAll(HttpHeaderNames.CONNECTION));
    var fields = new Fields(headers.size());
    Iterator<Map.Entry<CharSequence, CharSequence>> all = headers.iteratorCharSequence();
    while (all.hasNext()) {
      Map.Entry<CharSequence, CharSequence> field = all.next();
      if (!hop.ends(field.getKey())) {
        fields.add(field.getKey(), field.getValue());
      }
    }
    return fields;
  }
}
