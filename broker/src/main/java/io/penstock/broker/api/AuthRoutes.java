package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Permission;
import io.penstock.broker.access.SignIns.PasswordChange;
import io.penstock.broker.access.SignIns.SignIn;
import io.penstock.broker.access.SignIns.SignedIn;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.util.Optional;

/// `/api/v1/auth`: sign in, refresh, sign out, who am I.
final class AuthRoutes {
  private final Accounts accounts;
  private final Clock clock;

  AuthRoutes(Accounts accounts, Clock clock) {
    this.accounts = accounts;
    this.clock = clock;
  }

  void addTo(Routes routes) {
    routes.open(HttpMethod.POST, "/api/v1/auth/login", this::login);
    routes.open(HttpMethod.POST, "/api/v1/auth/refresh", this::refresh);
    routes.open(HttpMethod.GET, "/api/v1/auth/jwks", _ -> Answer.ok(accounts.publicKeys()));
    // By any of three credentials, which it looks at by itself.
    routes.open(HttpMethod.POST, "/api/v1/auth/logout", request -> logout(routes, request));
    routes.signedIn(HttpMethod.POST, "/api/v1/auth/password", this::changePassword);
    routes.signedIn(HttpMethod.GET, "/api/v1/auth/me", AuthRoutes::me);
  }

  private Answer login(Request request) {
    JsonObject body = request.json("email", "password", "cookies");
    boolean onlyCookies = Request.flag(body, "cookies");
    boolean cookies = onlyCookies || request.credential().pageField();
    if (cookies) {
      // Nobody is signed in as somebody else by another page.
      request.requireOurPage();
    }
    SignIn outcome =
        accounts
            .signIns()
            .login(Request.text(body, "email"), Request.text(body, "password"), request.origin());
    SignedIn tokens = granted(outcome);
    if (onlyCookies) {
      return withCookies(tokens);
    }
    Answer answer = Answer.ok(json(tokens));
    return cookies ? answer.with(SessionCookies.of(tokens, clock)) : answer;
  }

  /// Only the refresh token counts: an access token alone keeps nobody signed in. It comes in the
  /// body, or in a console's cookie; the answer goes the same way.
  private Answer refresh(Request request) {
    Optional<String> cookie = request.credential().refreshCookie();
    if (request.hasNoBody() && cookie.isPresent()) {
      request.requireOurPage();
      try {
        return withCookies(granted(accounts.signIns().refresh(cookie.get(), request.origin())));
      } catch (Problem refused) {
        throw refused.status() == 401 ? refused.andEndCookies() : refused;
      }
    }
    String token;
    try {
      token = Request.text(request.json("refresh_token"), "refresh_token");
    } catch (Problem noToken) {
      throw Problem.unauthorized();
    }
    return Answer.ok(json(granted(accounts.signIns().refresh(token, request.origin()))));
  }

  private static SignedIn granted(SignIn outcome) {
    return switch (outcome) {
      case SignIn.Granted(SignedIn tokens) -> tokens;
      case SignIn.Refused() ->
          throw Problem.of(401, "unauthorized", "these credentials let nobody in");
      case SignIn.Limited(int seconds) -> throw Problem.limited(seconds);
      case SignIn.Busy(int seconds) ->
          throw Problem.later(503, "overloaded", "too many people sign in at the moment", seconds);
    };
  }

  /// The tokens themselves stay out of reach of scripts.
  private Answer withCookies(SignedIn tokens) {
    return Answer.ok(
            new JsonObject()
                .put("expires_at", tokens.expiresAt().toString())
                .put("session_expires_at", tokens.sessionExpiresAt().toString()))
        .with(SessionCookies.of(tokens, clock));
  }

  private static JsonObject json(SignedIn tokens) {
    return new JsonObject()
        .put("token", tokens.token())
        .put("expires_at", tokens.expiresAt().toString())
        .put("refresh_token", tokens.refreshToken())
        .put("session_expires_at", tokens.sessionExpiresAt().toString());
  }

  /// The access token may be over for hours when somebody signs out: the refresh cookie does it
  /// alone.
  private Answer logout(Routes routes, Request request) {
    Credential shown = request.credential();
    if (shown.authorization()) {
      accounts.signIns().logout(routes.authenticated(request).actor());
      return Answer.nothing();
    }
    if (shown.refreshCookie().isPresent()) {
      request.requireOurPage();
      if (accounts.signIns().logout(shown.refreshCookie().get(), request.origin())) {
        return Answer.nothing().with(SessionCookies.CLEARED);
      }
    }
    try {
      accounts.signIns().logout(routes.authenticated(request).actor());
    } catch (Problem refused) {
      boolean over = refused.status() == 401 && shown.refreshCookie().isPresent();
      throw over ? refused.andEndCookies() : refused;
    }
    return Answer.nothing().with(SessionCookies.CLEARED);
  }

  private Answer changePassword(Request request) {
    JsonObject body = request.json("old_password", "new_password");
    String next = Request.text(body, "new_password");
    UserRoutes.requireStrong("new_password", next, request.actor().name());
    return switch (accounts
        .signIns()
        .changePassword(Request.text(body, "old_password"), next, request.actor())) {
      case PasswordChange.Done() -> Answer.nothing();
      case PasswordChange.WrongPassword() ->
          throw Request.expected("old_password", "the password that holds now");
      case PasswordChange.SignedOut() -> throw Problem.unauthorized();
      case PasswordChange.Limited(int seconds) -> throw Problem.limited(seconds);
    };
  }

  private static Answer me(Request request) {
    Actor actor = request.actor();
    var permissions = new JsonArray();
    actor.permissions().stream().map(Permission::text).sorted().forEach(permissions::add);
    return Answer.ok(
        new JsonObject()
            .put("email", actor.name())
            .put("roles", new JsonArray().add(actor.role().text()))
            .put("permissions", permissions)
            .put("gateway_access", new JsonArray(actor.gatewayAccess())));
  }
}
