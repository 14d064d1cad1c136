package io.penstock.broker.changes;

import io.penstock.broker.access.Permission;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;

/// What can be proposed: each is one request of the API, with its exact path and body.
public sealed interface Operation {
  /// As lists and audit events show it; also the type of the event when it is done.
  String kind();

  String method();

  String path();

  /// The very bytes that are proposed, shown and carried out.
  byte[] body();

  /// What whoever approves it needs, beside `changes:approve`.
  Permission needs();

  /// What it is about.
  List<String> agents();

  /// Changes of one system.
  sealed interface OfSystem extends Operation {
    String agent();

    String system();

    @Override
    default List<String> agents() {
      return List.of(agent());
    }

    @Override
    default String path() {
      return "/api/v1/agents/" + agent() + "/systems/" + system();
    }
  }

  /// A new version.
  ///
  /// @param body as it came: secrets are in it sealed, or not at all
  record Put(String agent, String system, Edit edit, byte[] body) implements OfSystem {
    public static final String KIND = "system.update";

    @Override
    public String kind() {
      return KIND;
    }

    @Override
    public String method() {
      return "PUT";
    }

    @Override
    public Permission needs() {
      return Permission.SYSTEMS_UPDATE;
    }

    @Override
    public String toString() {
      return "Put[" + agent + "/" + system + "]";
    }
  }

  record Rollback(String agent, String system, long version) implements OfSystem {
    public static final String KIND = "system.rollback";

    @Override
    public String kind() {
      return KIND;
    }

    @Override
    public String method() {
      return "POST";
    }

    @Override
    public String path() {
      return OfSystem.super.path() + "/rollback";
    }

    @Override
    public byte[] body() {
      return bytes(new JsonObject().put("version", version));
    }

    @Override
    public Permission needs() {
      return Permission.SYSTEMS_UPDATE;
    }
  }

  /// @param version empty = the newest; proposed is always a number
  record Deploy(String agent, String system, OptionalLong version) implements OfSystem {
    public static final String KIND = "system.deploy";

    @Override
    public String kind() {
      return KIND;
    }

    @Override
    public String method() {
      return "POST";
    }

    @Override
    public String path() {
      return OfSystem.super.path() + "/deploy";
    }

    @Override
    public byte[] body() {
      var body = new JsonObject();
      version.ifPresent(number -> body.put("version", number));
      return bytes(body);
    }

    @Override
    public Permission needs() {
      return Permission.SYSTEMS_DEPLOY;
    }
  }

  record Delete(String agent, String system) implements OfSystem {
    public static final String KIND = "system.delete";

    @Override
    public String kind() {
      return KIND;
    }

    @Override
    public String method() {
      return "DELETE";
    }

    @Override
    public byte[] body() {
      return new byte[0];
    }

    @Override
    public Permission needs() {
      return Permission.SYSTEMS_DELETE;
    }
  }

  /// Ends agents for good.
  record Revoke(List<String> agents) implements Operation {
    public static final String KIND = "agents.revoke";
    public static final String PATH = "/api/v1/agents/revoke";
    public static final int MAX_AGENTS = 100;

    public Revoke {
      agents = List.copyOf(agents);
    }

    @Override
    public String kind() {
      return KIND;
    }

    @Override
    public String method() {
      return "POST";
    }

    @Override
    public String path() {
      return PATH;
    }

    @Override
    public byte[] body() {
      return bytes(new JsonObject().put("agents", new JsonArray(agents)));
    }

    @Override
    public Permission needs() {
      return Permission.AGENTS_MANAGE;
    }
  }

  private static byte[] bytes(JsonObject body) {
    return body.encode().getBytes(StandardCharsets.UTF_8);
  }

  /// Of what kind a stored change is; what an older or newer broker knew is refused.
  static Permission needsOf(String kind) {
    return switch (kind) {
      case Put.KIND, Rollback.KIND -> Permission.SYSTEMS_UPDATE;
      case Deploy.KIND -> Permission.SYSTEMS_DEPLOY;
      case Delete.KIND -> Permission.SYSTEMS_DELETE;
      case Revoke.KIND -> Permission.AGENTS_MANAGE;
      default -> throw new IllegalStateException("a change of an unknown kind: " + kind);
    };
  }
}
