package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Permission;
import io.penstock.broker.agents.EnrollmentTokens;
import io.penstock.broker.agents.EnrollmentTokens.Issued;
import io.penstock.broker.agents.EnrollmentTokens.Wish;
import io.penstock.broker.store.EnrollmentTokenTable.Token;
import io.penstock.codec.seal.Octets;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// `/api/v1/enrollment-tokens`.
final class EnrollmentTokenRoutes {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
  private static final Pattern CIDR = Pattern.compile("[0-9A-Fa-f.:]{2,45}/[0-9]{1,3}");

  private final EnrollmentTokens tokens;

  EnrollmentTokenRoutes(EnrollmentTokens tokens) {
    this.tokens = tokens;
  }

  void addTo(Routes routes) {
    Permission manage = Permission.ENROLLMENT_TOKENS_MANAGE;
    routes.needs(manage, HttpMethod.GET, "/api/v1/enrollment-tokens", _ -> list());
    routes.needs(manage, HttpMethod.POST, "/api/v1/enrollment-tokens", this::create);
    routes.needs(manage, HttpMethod.DELETE, "/api/v1/enrollment-tokens/:id", this::delete);
  }

  private Answer list() {
    var all = new JsonArray();
    tokens.list().forEach(token -> all.add(json(token)));
    return Answer.ok(all);
  }

  private Answer create(Request request) {
    JsonObject body =
        request.json("agent", "site", "labels", "ttl_seconds", "allowed_cidrs", "reenroll");
    long seconds =
        body.containsKey("ttl_seconds")
            ? Request.number(body, "ttl_seconds", 1, EnrollmentTokens.MAX_TTL.toSeconds())
            : Duration.ofHours(1).toSeconds();
    var wish =
        new Wish(
            name(body, "agent"),
            name(body, "site"),
            Request.textMap(body, "labels"),
            cidrs(body),
            Request.flag(body, "reenroll"),
            Duration.ofSeconds(seconds));
    if (wish.reenroll() && wish.agent().isEmpty()) {
      throw Request.expected("agent", "the name of the agent to enroll again");
    }
    Issued issued =
        tokens.create(
            wish,
            request.actor().name(),
            Accounts.event("enrollment-token.create", request.actor(), "")
                .changing(
                    Map.of(
                        "agent", wish.agent().orElse("any"), "site", wish.site().orElse("any"))));
    return Answer.created(
        new JsonObject()
            .put("id", issued.id())
            .put("token", issued.text())
            .put("expires_at", issued.expiresAt().toString()));
  }

  private static Optional<String> name(JsonObject body, String field) {
    Optional<String> name = Request.optionalText(body, field);
    if (name.isPresent() && !NAME.matcher(name.get()).matches()) {
      throw Request.expected(field, "1 to 63 letters, digits, dots, hyphens or underscores");
    }
    return name;
  }

  private static List<String> cidrs(JsonObject body) {
    List<String> cidrs = Request.texts(body, "allowed_cidrs");
    if (!cidrs.stream().allMatch(text -> CIDR.matcher(text).matches())) {
      throw Request.expected("allowed_cidrs", "networks such as 203.0.113.0/24");
    }
    return cidrs;
  }

  private Answer delete(Request request) {
    Octets id;
    try {
      id = Octets.of(HexFormat.of().parseHex(request.path("id")));
    } catch (IllegalArgumentException e) {
      throw Problem.notFound("enrollment token");
    }
    if (!tokens.delete(id, Accounts.event("enrollment-token.delete", request.actor(), ""))) {
      throw Problem.notFound("enrollment token");
    }
    return Answer.nothing();
  }

  private static JsonObject json(Token token) {
    var json =
        new JsonObject()
            .put("id", token.id().hex())
            .put("agent", token.agent().orElse(null))
            .put("site", token.site().orElse(null))
            .put("labels", new JsonObject(Map.copyOf(token.labels())))
            .put("allowed_cidrs", new JsonArray(token.allowedCidrs()))
            .put("reenroll", token.reenroll())
            .put("created_at", token.createdAt().toString())
            .put("created_by", token.createdBy())
            .put("expires_at", token.expiresAt().toString())
            .put("refusals", token.refusals());
    token
        .use()
        .ifPresent(
            use ->
                json.put("used_at", use.at().toString())
                    .put("used_by", use.agent())
                    .put("used_from", use.from().orElse(null)));
    token
        .lastRefusal()
        .ifPresent(
            refusal ->
                json.put("last_refusal_at", refusal.at().toString())
                    .put("last_refusal_from", refusal.from().orElse(null))
                    .put("last_refusal_reason", refusal.reason()));
    return json;
  }
}
