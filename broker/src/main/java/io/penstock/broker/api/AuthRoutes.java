package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Accounts.SignIn;
import io.penstock.broker.access.Accounts.SignedIn;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Permission;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/// `/api/v1/auth`: sign in, refresh, sign out, who am I.
final class AuthRoutes {
  private final Accounts accounts;

  AuthRoutes(Accounts accounts) {
    this.accounts = accounts;
  }

  void addTo(Routes routes) {
    routes.open(HttpMethod.POST, "/api/v1/auth/login", this::login);
    routes.open(HttpMethod.POST, "/api/v1/auth/refresh", this::refresh);
    routes.open(HttpMethod.GET, "/api/v1/auth/jwks", _ -> Answer.ok(accounts.publicKeys()));
    routes.signedIn(HttpMethod.POST, "/api/v1/auth/logout", this::logout);
    routes.signedIn(HttpMethod.GET, "/api/v1/auth/me", AuthRoutes::me);
  }

  private Answer login(Request request) {
    JsonObject body = request.json("email", "password");
    return answer(
        accounts.login(
            Request.text(body, "email"), Request.text(body, "password"), request.origin()));
  }

  /// Only the refresh token counts: an access token alone keeps nobody signed in.
  private Answer refresh(Request request) {
    String token;
    try {
      token = Request.text(request.json("refresh_token"), "refresh_token");
    } catch (Problem noToken) {
      throw Problem.unauthorized();
    }
    return answer(accounts.refresh(token, request.origin()));
  }

  private static Answer answer(SignIn outcome) {
    return switch (outcome) {
      case SignIn.Granted(SignedIn tokens) -> Answer.ok(json(tokens));
      case SignIn.Refused() ->
          throw Problem.of(401, "unauthorized", "these credentials let nobody in");
      case SignIn.Limited(int seconds) -> throw Problem.limited(seconds);
    };
  }

  private static JsonObject json(SignedIn tokens) {
    return new JsonObject()
        .put("token", tokens.token())
        .put("expires_at", tokens.expiresAt().toString())
        .put("refresh_token", tokens.refreshToken())
        .put("session_expires_at", tokens.sessionExpiresAt().toString());
  }

  private Answer logout(Request request) {
    accounts.logout(request.actor());
    return Answer.nothing();
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
