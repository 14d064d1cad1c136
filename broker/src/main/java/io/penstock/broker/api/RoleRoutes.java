package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.access.Role;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;

/// `/api/v1/roles`: who may do what, and by which calls, as the server itself judges.
final class RoleRoutes {
  private final Routes routes;

  RoleRoutes(Routes routes) {
    this.routes = routes;
  }

  void add() {
    routes.signedIn(HttpMethod.GET, "/api/v1/roles", _ -> Answer.ok(matrix()));
  }

  private JsonObject matrix() {
    var roles = new JsonArray();
    for (Role role : Role.values()) {
      List<String> names = role.permissions().stream().map(Permission::text).sorted().toList();
      roles.add(new JsonObject().put("role", role.text()).put("permissions", new JsonArray(names)));
    }
    var permissions = new JsonArray();
    for (Permission permission : Permission.values()) {
      permissions.add(
          new JsonObject()
              .put("permission", permission.text())
              .put("global", permission.isGlobal())
              .put("routes", routesOf(permission)));
    }
    return new JsonObject().put("roles", roles).put("permissions", permissions);
  }

  private JsonArray routesOf(Permission permission) {
    var all = new JsonArray();
    for (Routes.Registered route : routes.registered()) {
      if (route.right().equals(new Right.Needs(permission))) {
        all.add(new JsonObject().put("method", route.method()).put("path", route.template()));
      }
    }
    return all;
  }
}
