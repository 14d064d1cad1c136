package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Accounts.Change;
import io.penstock.broker.access.Passwords;
import io.penstock.broker.access.Permission;
import io.penstock.broker.access.Role;
import io.penstock.broker.access.Scope;
import io.penstock.broker.store.UserTable.OidcIdentity;
import io.penstock.broker.store.UserTable.User;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// `/api/v1/users`.
final class UserRoutes {
  private static final int MAX_ACCESS = 100;

  private final Accounts accounts;

  UserRoutes(Accounts accounts) {
    this.accounts = accounts;
  }

  void addTo(Routes routes) {
    Permission manage = Permission.USERS_MANAGE;
    routes.needs(manage, HttpMethod.GET, "/api/v1/users", _ -> list());
    routes.needs(manage, HttpMethod.POST, "/api/v1/users", this::create);
    routes.needs(manage, HttpMethod.GET, "/api/v1/users/:email", this::show);
    routes.needs(manage, HttpMethod.PATCH, "/api/v1/users/:email", this::change);
    routes.needs(manage, HttpMethod.DELETE, "/api/v1/users/:email", this::delete);
    routes.needs(manage, HttpMethod.POST, "/api/v1/users/:email/password", this::setPassword);
    routes.needs(
        manage, HttpMethod.POST, "/api/v1/users/:email/disable", request -> disable(request, true));
    routes.needs(
        manage, HttpMethod.POST, "/api/v1/users/:email/enable", request -> disable(request, false));
  }

  private Answer list() {
    var users = new JsonArray();
    accounts.list().forEach(user -> users.add(json(user)));
    return Answer.ok(users);
  }

  private Answer show(Request request) {
    return accounts
        .find(request.path("email"))
        .map(user -> Answer.ok(json(user)))
        .orElseThrow(() -> Problem.notFound("user"));
  }

  private Answer create(Request request) {
    JsonObject body = request.json("email", "role", "password", "gateway_access");
    String email = Request.text(body, "email");
    if (!Accounts.isEmail(email)) {
      throw Request.expected("email", Accounts.EXPECTED_EMAIL);
    }
    Role role = role(body);
    String password = Request.text(body, "password");
    requireStrong("password", password, email);
    List<String> access = access(body);
    done(accounts.create(email, role, password, access, request.actor()));
    return Answer.created(json(accounts.find(email).orElseThrow(() -> Problem.notFound("user"))));
  }

  private static Role role(JsonObject body) {
    return Role.of(Request.text(body, "role"))
        .orElseThrow(
            () -> Request.expected("role", "Viewer, Operator, Engineer, Admin or Copilot"));
  }

  private static List<String> access(JsonObject body) {
    List<String> access = Request.texts(body, "gateway_access");
    if (access.size() > MAX_ACCESS || !access.stream().allMatch(Scope::isEntry)) {
      throw Request.expected("gateway_access", Scope.EXPECTED);
    }
    return access;
  }

  static void requireStrong(String field, String password, String email) {
    Passwords.weakness(password, email)
        .ifPresent(
            weakness -> {
              throw Problem.badRequest(field + ": " + weakness);
            });
  }

  private Answer change(Request request) {
    JsonObject body = request.json("role", "gateway_access");
    Optional<Role> role = body.containsKey("role") ? Optional.of(role(body)) : Optional.empty();
    Optional<List<String>> access =
        body.containsKey("gateway_access") ? Optional.of(access(body)) : Optional.empty();
    done(accounts.change(request.path("email"), role, access, request.actor()));
    return show(request);
  }

  private Answer setPassword(Request request) {
    String password = Request.text(request.json("password"), "password");
    String email = request.path("email");
    requireStrong("password", password, email);
    done(accounts.setPassword(email, password, request.actor()));
    return Answer.nothing();
  }

  private Answer disable(Request request, boolean disabled) {
    done(accounts.disable(request.path("email"), disabled, request.actor()));
    return show(request);
  }

  private Answer delete(Request request) {
    done(accounts.delete(request.path("email"), request.actor()));
    return Answer.nothing();
  }

  private static void done(Change change) {
    switch (change) {
      case DONE -> {}
      case UNKNOWN -> throw Problem.notFound("user");
      case TAKEN -> throw Problem.conflict("taken", "a user of that email exists already");
      case NO_PASSWORD ->
          throw Problem.conflict(
              "no-password", "this user signs in by the identity provider and has no password");
      case LAST_ADMIN ->
          throw Problem.conflict("last-admin", "the last enabled Admin has to stay one");
    }
  }

  private static JsonObject json(User user) {
    return new JsonObject()
        .put("email", user.email())
        .put("role", Role.of(user.role()).map(Role::text).orElse(user.role()))
        .put("disabled", user.disabled())
        .put("gateway_access", new JsonArray(user.gatewayAccess()))
        .put("created_at", user.createdAt().toString())
        .put("created_by", user.createdBy())
        .put("last_login_at", text(user.lastLoginAt()))
        .put("intact", user.intact())
        .put("sign_in", user.oidc().isPresent() ? "oidc" : "password")
        .put("oidc_issuer", user.oidc().map(OidcIdentity::issuer).orElse(null));
  }

  private static @org.jspecify.annotations.Nullable String text(Optional<Instant> instant) {
    return instant.map(Instant::toString).orElse(null);
  }
}
