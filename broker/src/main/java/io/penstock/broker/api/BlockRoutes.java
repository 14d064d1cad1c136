package io.penstock.broker.api;

import io.penstock.broker.access.Blocks;
import io.penstock.broker.access.Blocks.Outcome;
import io.penstock.broker.access.Permission;
import io.penstock.broker.store.BlockTable.Block;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// `/api/v1/blocks`: address ranges that are not let in. A range is named in the query, because a
/// path has no room for its slash.
final class BlockRoutes {
  private static final int MAX_SECONDS = 366 * 24 * 3600;

  private final Blocks blocks;

  BlockRoutes(Blocks blocks) {
    this.blocks = blocks;
  }

  void addTo(Routes routes) {
    Permission manage = Permission.BLOCKS_MANAGE;
    routes.needs(manage, HttpMethod.GET, "/api/v1/blocks", _ -> list());
    routes.needs(manage, HttpMethod.POST, "/api/v1/blocks", this::add);
    routes.needs(manage, HttpMethod.DELETE, "/api/v1/blocks", this::remove);
  }

  private Answer list() {
    var all = new JsonArray();
    blocks.list().forEach(block -> all.add(json(block)));
    return Answer.ok(all);
  }

  private Answer add(Request request) {
    JsonObject body = request.json("cidr", "reason", "ttl_seconds");
    Optional<Duration> ttl =
        body.containsKey("ttl_seconds")
            ? Optional.of(Duration.ofSeconds(Request.number(body, "ttl_seconds", 1, MAX_SECONDS)))
            : Optional.empty();
    String reason = Request.optionalText(body, "reason").orElse("");
    if (reason.length() > 500) {
      throw Request.expected("reason", "at most 500 characters");
    }
    return switch (blocks.add(Request.text(body, "cidr"), reason, ttl, request.actor())) {
      case Outcome.Done(Block block) -> Answer.created(json(block));
      case Outcome.Malformed() ->
          throw Request.expected("cidr", "an address or a range such as 203.0.113.0/24");
      case Outcome.Taken() -> throw Problem.conflict("taken", "that range is blocked already");
      case Outcome.OwnAddress() ->
          throw Problem.conflict("own-address", "this would lock you out: you call from there");
      case Outcome.TrustedProxy() ->
          throw Problem.conflict(
              "trusted-proxy",
              "expected no address of listen.trusted_proxies: everybody behind it would be out");
      case Outcome.Full(int limit) ->
          throw Problem.conflict("too-many-blocks", "expected at most " + limit + " blocks");
    };
  }

  private Answer remove(Request request) {
    String cidr =
        request
            .query("cidr")
            .orElseThrow(() -> Request.expected("cidr", "the range, in the query"));
    if (!blocks.remove(cidr, request.actor())) {
      throw Problem.notFound("block");
    }
    return Answer.nothing();
  }

  private static JsonObject json(Block block) {
    return new JsonObject()
        .put("cidr", block.cidr())
        .put("reason", block.reason())
        .put("created_at", block.createdAt().toString())
        .put("created_by", block.createdBy())
        .put("expires_at", block.expiresAt().map(Instant::toString).orElse(null));
  }
}
