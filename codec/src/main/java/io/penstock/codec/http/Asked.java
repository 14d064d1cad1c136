package io.penstock.codec.http;

/// What the request was, as far as it decides how its answer is framed (RFC 9112 section 6.3).
public enum Asked {
  ORDINARY,
  /// The answer has no body, whatever its fields say.
  HEAD,
  /// After a 2xx the connection is no longer HTTP.
  CONNECT,
  /// A 101 may come, and after it the connection is no longer HTTP.
  UPGRADE
}
