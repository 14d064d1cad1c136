package io.penstock.broker.audit;

import java.util.Map;
import java.util.Optional;

/// One thing to prove later. Never holds a secret: `changes` names fields, and shows values only of
/// fields that everybody with the right to read may see.
///
/// @param type such as `authentication.failure`, `gateway.approve`, `user.create`
/// @param user who did it: an email, the name of a service account or of an agent
/// @param resourceId what it was done to
/// @param result `success`, `denied`, `blocked`, `failure`
public record AuditEvent(
    String type,
    Optional<String> user,
    Optional<String> resourceId,
    Optional<String> action,
    Map<String, Object> changes,
    Optional<String> ip,
    Optional<String> userAgent,
    Optional<String> resource,
    String result,
    Optional<String> reason,
    Optional<String> approvedBy) {

  public AuditEvent {
    changes = Map.copyOf(changes);
  }

  public static AuditEvent of(String type, String result) {
    return new AuditEvent(
        type,
        Optional.empty(),
        Optional.empty(),
        Optional.of(type.substring(type.indexOf('.') + 1)),
        Map.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        result,
        Optional.empty(),
        Optional.empty());
  }

  public AuditEvent by(String who) {
    return with(Optional.of(who), resourceId, changes, reason, approvedBy);
  }

  public AuditEvent on(String what) {
    return with(user, Optional.of(what), changes, reason, approvedBy);
  }

  public AuditEvent changing(Map<String, Object> what) {
    return with(user, resourceId, what, reason, approvedBy);
  }

  public AuditEvent because(String why) {
    return with(user, resourceId, changes, Optional.of(why), approvedBy);
  }

  /// The second person, where there was one.
  public AuditEvent agreedBy(Optional<String> approver) {
    return with(user, resourceId, changes, reason, approver);
  }

  /// Where the request came from.
  public AuditEvent from(Optional<String> address, Optional<String> agent, Optional<String> path) {
    return new AuditEvent(
        type, user, resourceId, action, changes, address, agent, path, result, reason, approvedBy);
  }

  private AuditEvent with(
      Optional<String> who,
      Optional<String> what,
      Map<String, Object> changed,
      Optional<String> why,
      Optional<String> approver) {
    return new AuditEvent(
        type, who, what, action, changed, ip, userAgent, resource, result, why, approver);
  }
}
