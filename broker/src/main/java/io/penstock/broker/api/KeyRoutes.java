package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.keys.RotationRefusedException;
import io.penstock.broker.rotation.KeyOperations;
import io.penstock.broker.rotation.KeyOperations.Listed;
import io.penstock.broker.rotation.KeyOperations.Outcome;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// `/api/v1/keys`: the owner's keys, without their secrets.
final class KeyRoutes {
  /// Every key that a command rotates, but the root, which is a step of its own.
  private static final String ALL = "all";

  private final KeyOperations keys;

  KeyRoutes(KeyOperations keys) {
    this.keys = keys;
  }

  void addTo(Routes routes) {
    Permission rotate = Permission.KEYS_ROTATE;
    routes.needs(rotate, HttpMethod.GET, "/api/v1/keys", _ -> list());
    routes.needs(rotate, HttpMethod.POST, "/api/v1/keys/rotate", this::rotate);
    routes.needs(rotate, HttpMethod.POST, "/api/v1/keys/retire", this::retire);
  }

  private Answer list() {
    var all = new JsonArray();
    keys.list().forEach(key -> all.add(json(key)));
    return Answer.ok(all);
  }

  private Answer rotate(Request request) {
    JsonObject body = request.json("use", "compromised", "confirm");
    Set<ManagedKey> uses = uses(Request.text(body, "use"));
    boolean compromised = Request.flag(body, "compromised");
    if (compromised && !uses.contains(ManagedKey.ROOT) && !Request.flag(body, "confirm")) {
      throw Problem.conflict(
          "confirmation-needed", "given up at once: " + String.join("; ", keys.consequences(uses)));
    }
    return Answer.ok(
        json(
            judged(
                () ->
                    compromised
                        ? keys.rotateCompromised(uses, request.actor())
                        : keys.rotate(uses, request.actor()))));
  }

  private static Set<ManagedKey> uses(String text) {
    if (text.equals(ALL)) {
      return EnumSet.complementOf(EnumSet.of(ManagedKey.ROOT, ManagedKey.ROW_MAC));
    }
    return ManagedKey.of(text)
        .filter(use -> use != ManagedKey.ROW_MAC)
        .map(EnumSet::of)
        .orElseThrow(
            () ->
                Request.expected(
                    "use",
                    Arrays.stream(ManagedKey.values())
                        .filter(use -> use != ManagedKey.ROW_MAC)
                        .map(ManagedKey::text)
                        .collect(Collectors.joining(", ", "one of ", ", " + ALL))));
  }

  private Answer retire(Request request) {
    String kid = Request.text(request.json("kid"), "kid");
    judged(
        () -> {
          keys.retire(kid, request.actor());
          return true;
        });
    return Answer.nothing();
  }

  private static <T> T judged(Supplier<T> work) {
    try {
      return work.get();
    } catch (RotationRefusedException refused) {
      throw Problem.conflict("rotation-refused", String.valueOf(refused.getMessage()));
    }
  }

  private static JsonObject json(Listed listed) {
    return new JsonObject()
        .put("use", listed.key().use().text())
        .put("kid", listed.key().kid())
        .put("state", listed.key().state().text())
        .put("created_at", listed.key().createdAt().map(Instant::toString).orElse(null))
        .put("changed_at", listed.key().changedAt().map(Instant::toString).orElse(null))
        .put("needed_by", new JsonArray(listed.neededBy()));
  }

  private static JsonObject json(Outcome outcome) {
    var rotated = new JsonArray();
    outcome
        .rotated()
        .forEach(
            each ->
                rotated.add(
                    new JsonObject()
                        .put("use", each.use().text())
                        .put("kid", each.kid())
                        .put("replaced", each.replaced())));
    return new JsonObject().put("rotated", rotated).put("failed", new JsonArray(outcome.failed()));
  }
}
