package io.penstock.broker.edge;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.Iterator;
import java.util.Optional;

/// Which field of a request speaks to us. `Penstock-Authorization` goes first, and then the
/// caller's own Authorization is none of our business; cookies never count (contract,
/// "Invocation").
///
/// @param token what it shows; empty when there is none that could be one
/// @param spentAuthorization the request's Authorization was meant for us and stays here
record CallerGate(Optional<BearerToken> token, boolean spentAuthorization) {
  private static final String SCHEME = "Bearer ";

  static CallerGate read(HttpHeaders headers) {
    if (headers.contains(OwnFields.AUTHORIZATION)) {
      return new CallerGate(single(headers, OwnFields.AUTHORIZATION), false);
    }
    return new CallerGate(single(headers, HttpHeaderNames.AUTHORIZATION), true);
  }

  /// Two of them are one too many: who decides which counts?
  private static Optional<BearerToken> single(HttpHeaders headers, CharSequence name) {
    Iterator<? extends CharSequence> values = headers.valueCharSequenceIterator(name);
    if (!values.hasNext()) {
      return Optional.empty();
    }
    String value = values.next().toString();
    return values.hasNext() ? Optional.empty() : bearer(value);
  }

  private static Optional<BearerToken> bearer(String value) {
    if (!value.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return Optional.empty();
    }
    String secret = value.substring(SCHEME.length()).strip();
    return BearerToken.fits(secret.length())
        ? Optional.of(new BearerToken(secret))
        : Optional.empty();
  }
}
