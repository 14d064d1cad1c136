package io.penstock.broker.alarms;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Permission;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmKind.About;
import io.penstock.broker.store.AlarmTable.Alarm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Something that can be done about an alarm: an ordinary call of the API, which judges by itself
/// who may.
///
/// @param title for a button
/// @param body JSON fields; empty = no body
/// @param asks fields of the body that somebody has to fill in first
/// @param allowed whether this actor has the permission
public record AlarmAction(
    String name,
    String title,
    String method,
    String path,
    Map<String, Object> body,
    List<String> asks,
    Permission permission,
    boolean allowed) {
  private static final int BLOCKED_SECONDS = 24 * 3600;

  /// Kinds that say that somebody pretends to be an agent, or has what is the agent's.
  private static final Set<AlarmKind> OF_IMPOSTORS =
      Set.of(
          AlarmKind.AGENT_CLONED,
          AlarmKind.IDENTITY_MISMATCH,
          AlarmKind.BAD_RECEIPT_SIGNATURE,
          AlarmKind.FOREIGN_WRAP);

  /// Kinds whose address is only where an agent of ours was seen.
  private static final Set<String> HARMLESS =
      Set.of(AlarmKind.AGENT_OFFLINE.code(), AlarmKind.AGENT_FLAPPING.code());

  public AlarmAction {
    body = Map.copyOf(body);
    asks = List.copyOf(asks);
  }

  /// What applies to `alarm`, the mildest first.
  static List<AlarmAction> of(Alarm alarm, Actor actor) {
    var actions = new ArrayList<AlarmAction>();
    AlarmKind.of(alarm.kind()).ifPresent(kind -> ofKind(kind, alarm, actor, actions));
    alarm
        .address()
        .filter(_ -> !HARMLESS.contains(alarm.kind()))
        .ifPresent(address -> actions.add(block(address, alarm, actor)));
    return actions;
  }

  private static void ofKind(AlarmKind kind, Alarm alarm, Actor actor, List<AlarmAction> actions) {
    switch (kind.about()) {
      case AGENT -> ofAgent(kind, alarm.subject(), actor, actions);
      case SYSTEM -> deploy(alarm.subject(), actor, actions);
      case USER -> {
        String user = About.USER.name(alarm.subject());
        // Strangers may have tried a name that no path can hold, and no user has.
        if (Accounts.isEmail(user)) {
          actions.add(
              call(
                  "disable-user",
                  "Disable the user",
                  "/api/v1/users/" + user + "/disable",
                  Permission.USERS_MANAGE,
                  actor));
        }
      }
      case ENROLLMENT_TOKEN ->
          actions.add(
              new AlarmAction(
                  "delete-enrollment-token",
                  "Delete the enrollment token",
                  "DELETE",
                  "/api/v1/enrollment-tokens/" + alarm.subject(),
                  Map.of(),
                  List.of(),
                  Permission.ENROLLMENT_TOKENS_MANAGE,
                  actor.may(Permission.ENROLLMENT_TOKENS_MANAGE)));
      case ADDRESS, ROUTE, NODE, CHANNEL, BROKER, ANYTHING -> {}
    }
  }

  private static void ofAgent(
      AlarmKind kind, String agent, Actor actor, List<AlarmAction> actions) {
    String path = "/api/v1/agents/" + agent;
    Permission manage = Permission.AGENTS_MANAGE;
    if (kind == AlarmKind.AGENT_FLAPPING) {
      actions.add(
          call("disconnect-agent", "Disconnect the agent", path + "/disconnect", manage, actor));
    }
    if (kind == AlarmKind.AGENT_CLONED) {
      actions.add(
          new AlarmAction(
              "release-agent",
              "Release the agent from quarantine",
              "POST",
              path + "/release",
              Map.of(),
              List.of("fingerprint"),
              manage,
              actor.may(manage)));
    }
    if (OF_IMPOSTORS.contains(kind)) {
      actions.add(call("revoke-agent", "Revoke the agent", path + "/revoke", manage, actor));
    }
  }

  private static void deploy(String subject, Actor actor, List<AlarmAction> actions) {
    int slash = subject.indexOf('/');
    if (slash > 0) {
      String system = "/systems/" + subject.substring(slash + 1);
      actions.add(
          new AlarmAction(
              "deploy-system",
              "Deploy the system again",
              "POST",
              "/api/v1/agents/" + subject.substring(0, slash) + system + "/deploy",
              Map.of(),
              List.of(),
              Permission.SYSTEMS_DEPLOY,
              actor.may(Permission.SYSTEMS_DEPLOY)));
    }
  }

  private static AlarmAction block(String address, Alarm alarm, Actor actor) {
    return new AlarmAction(
        "block-address",
        "Block " + address + " for a day",
        "POST",
        "/api/v1/blocks",
        Map.of(
            "cidr",
            address,
            "reason",
            "alarm " + alarm.id() + ": " + alarm.kind(),
            "ttl_seconds",
            BLOCKED_SECONDS),
        List.of(),
        Permission.BLOCKS_MANAGE,
        actor.may(Permission.BLOCKS_MANAGE));
  }

  private static AlarmAction call(
      String name, String title, String path, Permission permission, Actor actor) {
    return new AlarmAction(
        name, title, "POST", path, Map.of(), List.of(), permission, actor.may(permission));
  }
}
