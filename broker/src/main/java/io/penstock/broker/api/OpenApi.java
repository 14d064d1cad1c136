package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.access.Role;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// The API's description: shapes from a file, rights from the table of routes, so that what is
/// published is what is enforced.
final class OpenApi {
  private OpenApi() {}

  static JsonObject of(List<Routes.Registered> routes) {
    JsonObject document = read();
    JsonObject paths = document.getJsonObject("paths");
    for (Routes.Registered route : routes) {
      JsonObject operation =
          paths
              .getJsonObject(route.template(), new JsonObject())
              .getJsonObject(route.method().toLowerCase(Locale.ROOT));
      if (operation != null) {
        describe(operation, route.right());
      }
    }
    return document.put("x-permissions", permissions());
  }

  private static void describe(JsonObject operation, Right right) {
    operation.remove("x-permission");
    switch (right) {
      case Right.Open() -> operation.put("security", new JsonArray());
      case Right.SignedIn() -> operation.remove("security");
      case Right.Needs(Permission permission) -> {
        operation.remove("security");
        operation.put("x-permission", permission.text()).put("x-roles", roles(right.roles()));
      }
    }
  }

  private static JsonArray permissions() {
    var all = new JsonArray();
    for (Permission permission : Permission.values()) {
      all.add(
          new JsonObject()
              .put("name", permission.text())
              .put("roles", roles(new Right.Needs(permission).roles()))
              .put("global", permission.isGlobal()));
    }
    return all;
  }

  private static JsonArray roles(List<Role> roles) {
    return new JsonArray(roles.stream().map(Role::text).toList());
  }

  private static JsonObject read() {
    try (InputStream in = OpenApi.class.getResourceAsStream("/openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("openapi.json is missing from the jar");
      }
      return new JsonObject(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
