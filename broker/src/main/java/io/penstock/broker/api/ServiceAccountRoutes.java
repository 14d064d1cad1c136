package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.access.ServiceAccounts;
import io.penstock.broker.access.ServiceAccounts.Issued;
import io.penstock.broker.store.ServiceAccountTable.ServiceAccount;
import io.penstock.broker.store.ServiceAccountTable.ServiceToken;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// `/api/v1/service-accounts`: cloud services, the systems they may invoke, and their tokens.
final class ServiceAccountRoutes {
  private final ServiceAccounts accounts;
  private final Duration maxTtl;

  ServiceAccountRoutes(ServiceAccounts accounts, Duration maxTtl) {
    this.accounts = accounts;
    this.maxTtl = maxTtl;
  }

  void addTo(Routes routes) {
    Permission manage = Permission.SERVICE_ACCOUNTS_MANAGE;
    String one = "/api/v1/service-accounts/:name";
    routes.needs(manage, HttpMethod.GET, "/api/v1/service-accounts", _ -> list());
    routes.needs(manage, HttpMethod.POST, "/api/v1/service-accounts", this::create);
    routes.needs(manage, HttpMethod.GET, one, this::show);
    routes.needs(manage, HttpMethod.PATCH, one, this::change);
    routes.needs(manage, HttpMethod.DELETE, one, this::delete);
    routes.needs(manage, HttpMethod.GET, one + "/tokens", this::tokens);
    routes.needs(manage, HttpMethod.POST, one + "/tokens", this::issue);
    routes.needs(manage, HttpMethod.DELETE, one + "/tokens/:id", this::revoke);
  }

  private Answer list() {
    var all = new JsonArray();
    accounts.list().forEach(account -> all.add(json(account)));
    return Answer.ok(all);
  }

  private Answer show(Request request) {
    return Answer.ok(json(account(request.path("name"))));
  }

  private Answer create(Request request) {
    JsonObject body = request.json("name", "systems");
    String name = Request.text(body, "name");
    if (!ServiceAccounts.isName(name)) {
      throw Request.expected("name", "1 to 63 letters, digits, dots, hyphens or underscores");
    }
    if (!accounts.create(name, systems(body), request.actor())) {
      throw Problem.conflict("taken", "a service account of that name exists already");
    }
    return Answer.created(json(account(name)));
  }

  private Answer change(Request request) {
    JsonObject body = request.json("systems", "disabled");
    ServiceAccount old = account(request.path("name"));
    List<String> systems = body.containsKey("systems") ? systems(body) : old.systems();
    boolean disabled =
        body.containsKey("disabled") ? Request.flag(body, "disabled") : old.disabled();
    if (!accounts.change(old.name(), systems, disabled, request.actor())) {
      throw Problem.notFound("service account");
    }
    return Answer.ok(json(account(old.name())));
  }

  private static List<String> systems(JsonObject body) {
    List<String> systems = Request.texts(body, "systems");
    if (systems.isEmpty() || !systems.stream().allMatch(ServiceAccounts::isSystem)) {
      throw Request.expected(
          "systems",
          "a list of \"site/system\" or \"site/*\"; instead of the site also agent:NAME or"
              + " label:KEY=VALUE");
    }
    return systems;
  }

  private Answer delete(Request request) {
    if (!accounts.delete(request.path("name"), request.actor())) {
      throw Problem.notFound("service account");
    }
    return Answer.nothing();
  }

  private Answer tokens(Request request) {
    var all = new JsonArray();
    accounts.tokensOf(account(request.path("name")).name()).forEach(token -> all.add(json(token)));
    return Answer.ok(all);
  }

  private Answer issue(Request request) {
    JsonObject body = request.json("ttl_seconds");
    long seconds = Request.number(body, "ttl_seconds", 1, maxTtl.toSeconds());
    Issued issued =
        accounts
            .issueToken(request.path("name"), Duration.ofSeconds(seconds), request.actor())
            .orElseThrow(() -> Problem.notFound("service account"));
    return Answer.created(
        new JsonObject()
            .put("id", issued.id().toString())
            .put("token", issued.token())
            .put("expires_at", issued.expiresAt().toString()));
  }

  private Answer revoke(Request request) {
    UUID id;
    try {
      id = UUID.fromString(request.path("id"));
    } catch (IllegalArgumentException e) {
      throw Problem.notFound("token");
    }
    if (!accounts.revokeToken(request.path("name"), id, request.actor())) {
      throw Problem.notFound("token");
    }
    return Answer.nothing();
  }

  private ServiceAccount account(String name) {
    return accounts.find(name).orElseThrow(() -> Problem.notFound("service account"));
  }

  private static JsonObject json(ServiceAccount account) {
    return new JsonObject()
        .put("name", account.name())
        .put("systems", new JsonArray(account.systems()))
        .put("disabled", account.disabled())
        .put("created_at", account.createdAt().toString())
        .put("created_by", account.createdBy())
        .put("last_used_at", text(account.lastUsedAt()))
        .put("intact", account.intact());
  }

  private static JsonObject json(ServiceToken token) {
    return new JsonObject()
        .put("id", token.id().toString())
        .put("issued_at", token.issuedAt().toString())
        .put("issued_by", token.issuedBy())
        .put("expires_at", token.expiresAt().toString())
        .put("revoked_at", text(token.revokedAt()))
        .put("last_used_at", text(token.lastUsedAt()));
  }

  private static @Nullable String text(Optional<Instant> instant) {
    return instant.map(Instant::toString).orElse(null);
  }
}
