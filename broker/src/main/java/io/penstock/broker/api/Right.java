package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.access.Role;
import java.util.Arrays;
import java.util.List;

/// Who may call a route.
sealed interface Right {
  /// Everybody.
  record Open() implements Right {}

  /// Whoever is signed in.
  record SignedIn() implements Right {}

  record Needs(Permission permission) implements Right {}

  /// The roles that may, of people without a scope.
  default List<Role> roles() {
    return switch (this) {
      case Open _, SignedIn _ -> List.of(Role.values());
      case Needs(Permission permission) ->
          Arrays.stream(Role.values())
              .filter(role -> role.permissions().contains(permission))
              .toList();
    };
  }
}
