package io.penstock.broker.api;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// What a request shows to say who sent it: an `Authorization` field, or the console's cookies. The
/// field goes first; where it is there and no bearer token, nothing counts.
///
/// A browser adds cookies to requests that other pages made. `SameSite=Strict` keeps it from that;
/// beside it a cookie counts only if the browser says that one of our own pages asked, and for
/// whatever changes something only with a field that no form can send.
///
/// @param bearer of the `Authorization` field
/// @param pageField the field that pages of ours send
record Credential(
    boolean authorization,
    Optional<String> bearer,
    Optional<String> accessCookie,
    Optional<String> refreshCookie,
    Optional<String> fetchSite,
    Optional<String> origin,
    Optional<String> host,
    boolean pageField) {

  static final String PAGE_FIELD = "Penstock-Console";
  private static final String SCHEME = "Bearer ";
  private static final Set<HttpMethod> SAFE = Set.of(HttpMethod.GET, HttpMethod.HEAD);

  /// Of what nobody sent.
  static final Credential NONE =
      new Credential(
          false,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          false);

  static Credential of(HttpServerRequest request) {
    List<String> authorization = request.headers().getAll("Authorization");
    List<String> cookies = request.headers().getAll("Cookie");
    return new Credential(
        !authorization.isEmpty(),
        bearer(authorization),
        cookie(cookies, SessionCookies.ACCESS),
        cookie(cookies, SessionCookies.REFRESH),
        only(request.headers().getAll("Sec-Fetch-Site")),
        only(request.headers().getAll("Origin")),
        only(request.headers().getAll("Host")),
        "1".equals(request.getHeader(PAGE_FIELD)));
  }

  private static Optional<String> bearer(List<String> values) {
    return values.size() == 1
            && values.getFirst().regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        ? Optional.of(values.getFirst().substring(SCHEME.length()).strip())
        : Optional.empty();
  }

  /// Two of one name are one too many: somebody else set the other.
  static Optional<String> cookie(List<String> fields, String name) {
    var found = new ArrayList<String>(1);
    for (String field : fields) {
      for (String pair : field.split(";", -1)) {
        int equals = pair.indexOf('=');
        if (equals > 0 && pair.substring(0, equals).strip().equals(name)) {
          found.add(pair.substring(equals + 1).strip());
        }
      }
    }
    return found.size() == 1 && !found.getFirst().isEmpty()
        ? Optional.of(found.getFirst())
        : Optional.empty();
  }

  /// A field that comes twice says nothing good.
  private static Optional<String> only(List<String> values) {
    return switch (values.size()) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of(values.getFirst());
      default -> Optional.of("");
    };
  }

  /// The access token to judge by; throws where a cookie came from a page that is not ours.
  Optional<String> token(HttpMethod method) {
    if (authorization) {
      return bearer;
    }
    if (accessCookie.isPresent()) {
      requireOurPage(method);
    }
    return accessCookie;
  }

  void requireOurPage(HttpMethod method) {
    boolean safe = SAFE.contains(method);
    boolean ours =
        fetchSite
                .map(site -> site.equals("same-origin") || (safe && site.equals("none")))
                .orElse(true)
            && origin.map(this::isOurs).orElse(true)
            && (safe || pageField);
    if (!ours) {
      throw Problem.of(
          403, "forbidden", "cookies count only for requests that the console's own pages make");
    }
  }

  /// Everything is answered under one name and port, over TLS.
  private boolean isOurs(String found) {
    return host.filter(name -> !name.isEmpty())
        .map(name -> "https://" + name.toLowerCase(Locale.ROOT))
        .filter(found.toLowerCase(Locale.ROOT)::equals)
        .isPresent();
  }
}
