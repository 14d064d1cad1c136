package io.penstock.broker.edge;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.penstock.codec.Fields;
import io.penstock.codec.http.FieldFate;
import io.penstock.codec.http.HopByHop;
import io.penstock.codec.http.PenstockCookies;
import java.util.Iterator;
import java.util.Map;

/// A caller's fields that go on to the system: order, case and duplicates kept (contract,
/// "Invocation").
final class RequestFields {
  private RequestFields() {}

  /// @param spentAuthorization Authorization was meant for us
  /// @param continuesTrace the caller's `traceparent` is valid, so its `tracestate` goes with it
  static Fields of(HttpHeaders headers, boolean spentAuthorization, boolean continuesTrace) {
    HopByHop named =
        HopByHop.namedBy(headers.valueCharSequenceIterator(HttpHeaderNames.CONNECTION));
    var fields = new Fields(headers.size());
    Iterator<Map.Entry<CharSequence, CharSequence>> all = headers.iteratorCharSequence();
    while (all.hasNext()) {
      Map.Entry<CharSequence, CharSequence> field = all.next();
      CharSequence name = field.getKey();
      if (FieldFate.isOurs(name) || named.ends(name)) {
        continue;
      }
      switch (FieldFate.of(name)) {
        case PASS, CONTENT_LENGTH, SET_COOKIE, CONTENT_TYPE_OPTIONS ->
            fields.add(name, field.getValue());
        case AUTHORIZATION -> addUnless(spentAuthorization, fields, field);
        case TRACE_STATE -> addUnless(!continuesTrace, fields, field);
        case COOKIE -> addCookies(fields, field);
        case STAY -> {}
      }
    }
    return fields;
  }

  /// Trailers have no say in where a message goes, how it ends or who sent it.
  static Fields ofTrailers(HttpHeaders trailers) {
    var fields = new Fields(trailers.size());
    Iterator<Map.Entry<CharSequence, CharSequence>> all = trailers.iteratorCharSequence();
    while (all.hasNext()) {
      Map.Entry<CharSequence, CharSequence> field = all.next();
      CharSequence name = field.getKey();
      if (!FieldFate.isOurs(name) && FieldFate.of(name) == FieldFate.PASS) {
        fields.add(name, field.getValue());
      }
    }
    return fields;
  }

  private static void addUnless(
      boolean stays, Fields fields, Map.Entry<CharSequence, CharSequence> field) {
    if (!stays) {
      fields.add(field.getKey(), field.getValue());
    }
  }

  private static void addCookies(Fields fields, Map.Entry<CharSequence, CharSequence> field) {
    PenstockCookies.strip(field.getValue().toString())
        .ifPresent(kept -> fields.add(field.getKey(), kept));
  }
}
