package io.penstock.broker.access;

import java.util.EnumSet;
import java.util.Set;

/// One thing that a role may do; the text is what tokens, OpenAPI and the console show.
public enum Permission {
  DASHBOARDS_READ("dashboards:read"),
  TOPOLOGY_READ("topology:read"),
  AGENTS_READ("agents:read"),
  AGENTS_MANAGE("agents:manage"),
  ENROLLMENT_TOKENS_MANAGE("enrollment-tokens:manage"),
  SYSTEMS_READ("systems:read"),
  /// The sealed bytes of secrets, which only the agent's key and the owner's recovery key open.
  SYSTEMS_READ_SEALED("systems:read-sealed"),
  SYSTEMS_CREATE("systems:create"),
  SYSTEMS_UPDATE("systems:update"),
  SYSTEMS_DELETE("systems:delete"),
  SYSTEMS_TEST("systems:test"),
  SYSTEMS_DEPLOY("systems:deploy"),
  SYSTEMS_INVOKE("systems:invoke"),
  PIPELINES_READ("pipelines:read"),
  PIPELINES_CREATE("pipelines:create"),
  PIPELINES_UPDATE("pipelines:update"),
  PIPELINES_DELETE("pipelines:delete"),
  PIPELINES_DEPLOY("pipelines:deploy"),
  CHANGES_CREATE("changes:create"),
  CHANGES_APPROVE("changes:approve"),
  ALARMS_READ("alarms:read"),
  ALARMS_ACKNOWLEDGE("alarms:acknowledge"),
  LOGS_READ("logs:read"),
  REQUESTS_READ("requests:read"),
  AUDIT_READ_OWN("audit:read-own"),
  AUDIT_READ("audit:read"),
  USERS_MANAGE("users:manage"),
  SERVICE_ACCOUNTS_MANAGE("service-accounts:manage"),
  BLOCKS_MANAGE("blocks:manage"),
  BACKUPS_MANAGE("backups:manage"),
  KEYS_ROTATE("keys:rotate");

  /// What they are about has no agent: they would lead out of any scope.
  private static final Set<Permission> GLOBAL =
      EnumSet.of(
          ENROLLMENT_TOKENS_MANAGE,
          AUDIT_READ,
          USERS_MANAGE,
          SERVICE_ACCOUNTS_MANAGE,
          BLOCKS_MANAGE,
          BACKUPS_MANAGE,
          KEYS_ROTATE);

  private final String text;

  Permission(String text) {
    this.text = text;
  }

  public String text() {
    return text;
  }

  /// Whether it is withheld from people who may see only some agents.
  public boolean isGlobal() {
    return GLOBAL.contains(this);
  }
}
