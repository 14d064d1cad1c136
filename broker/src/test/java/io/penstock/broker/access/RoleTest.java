package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The matrix as it was asked for, row by row, written here a second time.
class RoleTest {

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    // What is asked for, who may (V O E A, C for Copilot).
    "dashboards:read, VOEA",
    "topology:read, VOEAC",
    "agents:read, VOEAC",
    "systems:read, VOEAC",
    "pipelines:read, VOEAC",
    "alarms:read, VOEA",
    "alarms:acknowledge, OEA",
    "logs:read, OEA",
    "requests:read, OEA",
    "audit:read-own, OEA",
    "pipelines:create, EA",
    "pipelines:update, EA",
    "systems:create, EA",
    "systems:update, EA",
    "systems:read-sealed, EA",
    "systems:test, EA",
    "systems:invoke, EA",
    "changes:create, EAC",
    "changes:approve, A",
    "pipelines:delete, A",
    "pipelines:deploy, A",
    "systems:delete, A",
    "systems:deploy, A",
    "agents:manage, A",
    "enrollment-tokens:manage, A",
    "users:manage, A",
    "service-accounts:manage, A",
    "audit:read, A",
    "blocks:manage, A",
    "backups:manage, A",
    "keys:rotate, A",
  })
  void aPermissionIsOfTheseRoles(String permission, String roles) {
    String found =
        Stream.of(Role.VIEWER, Role.OPERATOR, Role.ENGINEER, Role.ADMIN, Role.COPILOT)
            .filter(role -> texts(role.permissions()).contains(permission))
            .map(role -> role.text().substring(0, 1))
            .collect(Collectors.joining());

    assertThat(found).isEqualTo(roles.strip());
  }

  @Test
  void noPermissionIsMissingInTheRowsAbove() throws NoSuchMethodException {
    CsvSource rows =
        RoleTest.class
            .getDeclaredMethod("aPermissionIsOfTheseRoles", String.class, String.class)
            .getAnnotation(CsvSource.class);

    assertThat(Arrays.stream(rows.value()).map(row -> row.substring(0, row.indexOf(','))))
        .containsExactlyInAnyOrderElementsOf(texts(Set.of(Permission.values())));
  }

  @Test
  void whatIsAboutTheWholeBrokerIsWithheldFromPeopleWithAScope() {
    var scope = new Scope(List.of("site:berlin"));

    assertThat(texts(Role.ADMIN.permissionsWithin(scope)))
        .contains("agents:manage", "systems:deploy", "audit:read-own")
        .doesNotContain(
            "users:manage",
            "service-accounts:manage",
            "enrollment-tokens:manage",
            "audit:read",
            "blocks:manage",
            "backups:manage",
            "keys:rotate");
    assertThat(Role.ADMIN.permissionsWithin(Scope.EVERYTHING)).isEqualTo(Role.ADMIN.permissions());
  }

  private static Set<String> texts(Set<Permission> permissions) {
    return permissions.stream().map(Permission::text).collect(Collectors.toSet());
  }
}
