package io.penstock.broker.access;

import static io.penstock.broker.access.Permission.AGENTS_READ;
import static io.penstock.broker.access.Permission.ALARMS_ACKNOWLEDGE;
import static io.penstock.broker.access.Permission.ALARMS_READ;
import static io.penstock.broker.access.Permission.AUDIT_READ_OWN;
import static io.penstock.broker.access.Permission.CHANGES_CREATE;
import static io.penstock.broker.access.Permission.DASHBOARDS_READ;
import static io.penstock.broker.access.Permission.LOGS_READ;
import static io.penstock.broker.access.Permission.PIPELINES_CREATE;
import static io.penstock.broker.access.Permission.PIPELINES_READ;
import static io.penstock.broker.access.Permission.PIPELINES_UPDATE;
import static io.penstock.broker.access.Permission.REQUESTS_READ;
import static io.penstock.broker.access.Permission.SYSTEMS_CREATE;
import static io.penstock.broker.access.Permission.SYSTEMS_INVOKE;
import static io.penstock.broker.access.Permission.SYSTEMS_READ;
import static io.penstock.broker.access.Permission.SYSTEMS_READ_SEALED;
import static io.penstock.broker.access.Permission.SYSTEMS_TEST;
import static io.penstock.broker.access.Permission.SYSTEMS_UPDATE;
import static io.penstock.broker.access.Permission.TOPOLOGY_READ;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// The roles and the one table of what each may do. Viewer, Operator, Engineer and Admin each add
/// to
/// the one before; Copilot stands beside them: it may look and propose, never act.
public enum Role {
  VIEWER(
      EnumSet.of(
          DASHBOARDS_READ, TOPOLOGY_READ, AGENTS_READ, SYSTEMS_READ, PIPELINES_READ, ALARMS_READ)),
  OPERATOR(with(VIEWER.permissions, ALARMS_ACKNOWLEDGE, LOGS_READ, REQUESTS_READ, AUDIT_READ_OWN)),
  ENGINEER(
      with(
          OPERATOR.permissions,
          SYSTEMS_CREATE,
          SYSTEMS_UPDATE,
          SYSTEMS_READ_SEALED,
          SYSTEMS_TEST,
          SYSTEMS_INVOKE,
          PIPELINES_CREATE,
          PIPELINES_UPDATE,
          CHANGES_CREATE)),
  ADMIN(EnumSet.allOf(Permission.class)),
  COPILOT(EnumSet.of(TOPOLOGY_READ, AGENTS_READ, SYSTEMS_READ, PIPELINES_READ, CHANGES_CREATE));

  @SuppressWarnings("ImmutableEnumChecker") // Set.copyOf makes it immutable
  private final Set<Permission> permissions;

  Role(Set<Permission> permissions) {
    this.permissions = Set.copyOf(permissions);
  }

  public Set<Permission> permissions() {
    return permissions;
  }

  /// What is left of them for somebody who may see only some agents: what is about the whole broker
  /// is not.
  public Set<Permission> permissionsWithin(Scope scope) {
    return scope.isEverything()
        ? permissions
        : permissions.stream()
            .filter(permission -> !permission.isGlobal())
            .collect(Collectors.toUnmodifiableSet());
  }

  /// `Viewer`, as the API and tokens write it.
  public String text() {
    return name().charAt(0) + name().substring(1).toLowerCase(Locale.ROOT);
  }

  /// As rows hold it.
  public String stored() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Reads either form.
  public static Optional<Role> of(String text) {
    return Arrays.stream(values()).filter(role -> role.name().equalsIgnoreCase(text)).findFirst();
  }

  private static Set<Permission> with(Set<Permission> base, Permission... more) {
    Set<Permission> all = EnumSet.copyOf(base);
    all.addAll(Arrays.asList(more));
    return all;
  }
}
