package io.penstock.broker.live;

import io.penstock.broker.access.Permission;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What one may watch, and the permission that it takes.
public enum Topic {
  OVERVIEW(Permission.DASHBOARDS_READ),
  AGENTS(Permission.AGENTS_READ),
  LATENCY(Permission.DASHBOARDS_READ),
  ALARMS(Permission.ALARMS_READ),
  CONFIG(Permission.SYSTEMS_READ),
  REQUESTS(Permission.REQUESTS_READ),
  BROKER(Permission.LOGS_READ);

  private final Permission permission;

  Topic(Permission permission) {
    this.permission = permission;
  }

  public Permission permission() {
    return permission;
  }

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Topic> of(String text) {
    return Arrays.stream(values()).filter(topic -> topic.text().equals(text)).findFirst();
  }
}
