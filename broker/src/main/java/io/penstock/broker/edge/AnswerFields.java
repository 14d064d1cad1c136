package io.penstock.broker.edge;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.penstock.codec.Fields;
import io.penstock.codec.http.FieldFate;
import io.penstock.codec.http.HopByHop;
import io.penstock.codec.http.PenstockCookies;

/// A system's fields that go on to the caller: order, case and duplicates kept.
final class AnswerFields {
  /// Framing of the answer: not said, or more than one reading.
  static final long NO_LENGTH = -1;

  static final long BAD_LENGTH = -2;

  /// Below 10^18, so that no reader with 64 bits can overflow.
  private static final int MAX_LENGTH_DIGITS = 18;

  private final HttpHeaders headers;
  private final HopByHop named;
  private long length = NO_LENGTH;

  private AnswerFields(Fields fields) {
    // `Fields` has checked names and values already (its class comment).
    headers = DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
    named = HopByHop.of(fields);
    fields.forEach(this::take);
  }

  static AnswerFields of(Fields fields) {
    return new AnswerFields(fields);
  }

  HttpHeaders headers() {
    return headers;
  }

  /// Content-Length, [#NO_LENGTH] or [#BAD_LENGTH].
  long length() {
    return length;
  }

  private void take(CharSequence name, CharSequence value) {
    if (FieldFate.isOurs(name) || named.ends(name)) {
      return;
    }
    switch (FieldFate.of(name)) {
      case PASS, COOKIE, AUTHORIZATION, TRACE_STATE -> headers.add(name, value);
      case SET_COOKIE -> {
        if (PenstockCookies.maySet(value.toString())) {
          headers.add(name, value);
        }
      }
      case CONTENT_LENGTH -> takeLength(name, value);
      case STAY, CONTENT_TYPE_OPTIONS -> {}
    }
  }

  private void takeLength(CharSequence name, CharSequence value) {
    length = length == NO_LENGTH ? parse(value) : BAD_LENGTH;
    headers.add(name, value);
  }

  private static long parse(CharSequence digits) {
    if (digits.isEmpty() || digits.length() > MAX_LENGTH_DIGITS) {
      return BAD_LENGTH;
    }
    long parsed = 0;
    for (int i = 0; i < digits.length(); i++) {
      char c = digits.charAt(i);
      if (c < '0' || c > '9') {
        return BAD_LENGTH;
      }
      parsed = parsed * 10 + c - '0';
    }
    return parsed;
  }
}
