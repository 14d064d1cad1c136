package io.penstock.broker.api;

import io.penstock.broker.access.OidcSignIns;
import io.penstock.broker.access.OidcSignIns.Begin;
import io.penstock.broker.access.OidcSignIns.Finish;
import io.penstock.broker.access.OidcSignIns.WayBack;
import io.penstock.broker.access.OidcSignIns.Why;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `/api/v1/auth/oidc`: sign in by an identity provider. A browser goes through here by links and
/// redirects, so what goes wrong is a page for it, and a problem document for a program.
final class OidcRoutes {
  /// `Lax`, as the way back comes from a page that is not ours.
  private static final String COOKIE = "__Host-penstock-oidc";

  private static final String ATTRIBUTES = "; Path=/; Secure; HttpOnly; SameSite=Lax";
  private static final String CLEARED = COOKIE + "=; Max-Age=0" + ATTRIBUTES;

  /// The console, from any route here on: a proxy may have put a path in front of all of them.
  private static final String HOME = "../../../../";

  private final Optional<OidcSignIns> oidc;
  private final Clock clock;

  OidcRoutes(Optional<OidcSignIns> oidc, Clock clock) {
    this.oidc = oidc;
    this.clock = clock;
  }

  void addTo(Routes routes) {
    routes.open(HttpMethod.GET, "/api/v1/auth/oidc", _ -> about());
    routes.open(
        HttpMethod.GET, "/api/v1/auth/oidc/login", request -> forBrowsers(request, this::begin));
    routes.open(
        HttpMethod.GET,
        "/api/v1/auth/oidc/callback",
        request -> forBrowsers(request, this::finish));
  }

  private Answer about() {
    var about = new JsonObject().put("enabled", oidc.isPresent());
    oidc.ifPresent(it -> about.put("name", it.name()));
    return Answer.ok(about);
  }

  private OidcSignIns configured() {
    return oidc.orElseThrow(
        () -> Problem.of(404, "not-found", "signing in by an identity provider is not set up"));
  }

  private Answer begin(Request request) {
    OidcSignIns signIns = configured();
    // No other page sends somebody through here unasked.
    request.requireOurPage();
    return switch (signIns.begin(request.origin())) {
      case Begin.AtProvider(String url, String secret, var life) ->
          to(url, List.of(COOKIE + "=" + secret + "; Max-Age=" + life.toSeconds() + ATTRIBUTES));
      case Begin.Limited(int seconds) -> throw Problem.limited(seconds);
      case Begin.Busy(int seconds) -> throw busy(seconds);
      case Begin.ProviderAway(int seconds) -> throw away(seconds);
    };
  }

  private Answer finish(Request request) {
    OidcSignIns signIns = configured();
    requireNavigation(request);
    var back =
        new WayBack(
            request.cookie(COOKIE),
            request.onlyQuery("state"),
            request.onlyQuery("code"),
            issuer(request),
            request.onlyQuery("error"));
    return switch (signIns.finish(back, request.origin())) {
      case Finish.Granted(var tokens) -> {
        var cookies = new ArrayList<>(SessionCookies.of(tokens, clock));
        cookies.add(CLEARED);
        yield to(HOME, cookies);
      }
      case Finish.Refused(Why why) ->
          told(request, problem(why), why == Why.STATE ? List.of() : List.of(CLEARED));
      case Finish.Limited(int seconds) -> throw Problem.limited(seconds);
      case Finish.Busy(int seconds) -> throw busy(seconds);
      case Finish.ProviderAway(int seconds) -> told(request, away(seconds), List.of(CLEARED));
    };
  }

  /// A browser comes back by going here, not by a picture or a script of another page.
  private static void requireNavigation(Request request) {
    if (request.field("Sec-Fetch-Mode").filter(mode -> !mode.equals("navigate")).isPresent()) {
      throw Problem.of(403, "forbidden", "a sign-in comes back by a page that is opened");
    }
  }

  /// Two together are none that a provider has.
  private static Optional<String> issuer(Request request) {
    List<String> named = request.queries("iss");
    return named.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", named));
  }

  private static Answer to(String url, List<String> cookies) {
    return new Answer(303, "").at(url).withField("Referrer-Policy", "no-referrer").with(cookies);
  }

  private static Problem busy(int seconds) {
    return Problem.later(503, "overloaded", "too many people sign in at the moment", seconds);
  }

  private Problem away(int seconds) {
    return Problem.later(
        503,
        "provider-unavailable",
        name() + " does not answer as it should; signing in with a password still works",
        seconds);
  }

  private String name() {
    return oidc.map(OidcSignIns::name).orElse("");
  }

  private Problem problem(Why why) {
    return switch (why) {
      case STATE ->
          Problem.of(
              400,
              "sign-in-over",
              "this sign-in was not begun in this browser, took too long or was used already:"
                  + " begin again");
      case PROVIDER_REFUSED -> Problem.of(403, "provider-refused", name() + " let nobody in");
      case UNTRUSTED ->
          Problem.of(
              403,
              "provider-not-trusted",
              "what " + name() + " said does not hold; the audit trail tells why");
      case NO_ROLE ->
          Problem.of(
              403,
              "no-role",
              name() + " knows you, but nothing that you are there gives you a role here");
      case NO_EMAIL ->
          Problem.of(
              403,
              "no-email",
              name() + " did not tell a proved e-mail address to call your account by");
      case EMAIL_TAKEN ->
          Problem.of(
              409, "taken", "your e-mail address is the name of another account: ask an Admin");
      case DISABLED -> Problem.of(403, "disabled", "your account is disabled: ask an Admin");
      case LAST_ADMIN ->
          Problem.of(
              409,
              "last-admin",
              "you are the last enabled Admin, and not Admin any more at " + name());
    };
  }

  private static Answer forBrowsers(Request request, Routes.Handler handler) {
    try {
      return handler.answer(request);
    } catch (Problem problem) {
      // Whatever sign-in this browser is in stays as it is.
      return told(request, problem, List.of());
    }
  }

  private static Answer told(Request request, Problem problem, List<String> cookies) {
    if (request.field("Accept").filter(it -> it.contains("text/html")).isEmpty()) {
      throw problem;
    }
    return page(problem, cookies);
  }

  /// Its texts are ours, and one name of the configuration, which has nothing to escape.
  private static Answer page(Problem problem, List<String> cookies) {
    String page =
        """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in · Penstock</title></head>
        <body><h1>You are not signed in</h1><p>%s.</p><p><a href="%s">Back to the sign-in page</a></p></body></html>
        """
            .formatted(problem.document().detail(), HOME);
    Answer answer =
        new Answer(problem.status(), page, "text/html; charset=utf-8", "")
            .withField(
                "Content-Security-Policy",
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
            .withField("Referrer-Policy", "no-referrer")
            .with(cookies);
    return problem.retryAfterSeconds().isPresent()
        ? answer.withField("Retry-After", Integer.toString(problem.retryAfterSeconds().getAsInt()))
        : answer;
  }
}
