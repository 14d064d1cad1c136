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
/// @param approvedBy who agreed, where a second person had to
public record Actor(
    String name,
    Role role,
    Set<Permission> permissions,
    List<String> gatewayAccess,
    UUID session,
    Origin origin,
    Optional<String> approvedBy) {

  public Actor(
      String name,
      Role role,
      Set<Permission> permissions,
      List<String> gatewayAccess,
      UUID session,
      Origin origin) {
    this(name, role, permissions, gatewayAccess, session, origin, Optional.empty());
  }

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

  /// This approver, carrying out what `author` proposed.
  public Actor onBehalfOf(String author) {
    return new Actor(author, role, permissions, gatewayAccess, session, origin, Optional.of(name));
  }

  public boolean may(Permission permission) {
    return permissions.contains(permission);
  }
}
