package io.penstock.broker.access;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/// Who is behind one API request, after authentication.
///
/// @param name email of a person
/// @param session the sign-in that the token belongs to
/// @param origin where the request came from
public record Actor(
    String name,
    Role role,
    Set<Permission> permissions,
    List<String> gatewayAccess,
    UUID session,
    Origin origin) {

  /// Where a request came from, as audit events show it.
  public record Origin(Optional<String> ip, Optional<String> userAgent, String resource) {
    public static Origin internal() {
      return new Origin(Optional.empty(), Optional.empty(), "");
    }
  }

  /// Which agents there are for them.
  public Scope scope() {
    return new Scope(gatewayAccess);
  }

  public boolean may(Permission permission) {
    return permissions.contains(permission);
  }
}
