package io.penstock.broker.changes;

import io.penstock.broker.access.Actor;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemChanges;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.broker.systems.SystemOperations.Queued;
import io.vertx.core.json.JsonObject;
import java.util.Map;

/// Carries out what is proposed, as the direct call would.
final class Carrying {
  private final SystemChanges systems;

  Carrying(SystemChanges systems) {
    this.systems = systems;
  }

  /// @return what became of it, for whoever asks later
  JsonObject out(Tx tx, Operation.OfSystem operation, Actor by) {
    String agent = operation.agent();
    String system = operation.system();
    return switch (operation) {
      case Operation.Put it -> json(systems.put(tx, agent, system, it.edit(), by));
      case Operation.Rollback it -> json(systems.rollback(tx, agent, system, it.version(), by));
      case Operation.Deploy it -> json(systems.deploy(tx, agent, system, it.version(), by));
      case Operation.Delete _ -> json(systems.delete(tx, agent, system, by));
    };
  }

  private static JsonObject json(Made made) {
    return new JsonObject()
        .put("version", made.version())
        .put("header_sha256", made.headerSha256().base64Url())
        .put("state", made.state());
  }

  private static JsonObject json(Queued queued) {
    return new JsonObject()
        .put("version", queued.version())
        .put("sequence", queued.sequence())
        .put("state", queued.state());
  }

  /// The version that a deployment with this target puts in force.
  static long deployedBy(Map<String, String> target) {
    return Long.parseLong(target.getOrDefault(SystemChanges.VERSION, "0"));
  }
}
