package io.penstock.broker.api;

import io.penstock.broker.changes.Operation;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads what a proposal asks for: a method, a path and a body as the direct call would have them.
/// Everything else cannot be proposed.
final class ProposedRequest {
  private static final String NAME = "[A-Za-z0-9._-]{1,63}";
  private static final Pattern OF_SYSTEM =
      Pattern.compile(
          "/api/v1/agents/(?<agent>"
              + NAME
              + ")/systems/(?<system>"
              + NAME
              + ")(?<verb>/deploy|/rollback)?");

  private static final String EXPECTED =
      "PUT or DELETE of /api/v1/agents/{id}/systems/{system}, POST of"
          + " /api/v1/agents/{id}/systems/{system}/deploy or …/rollback, or POST of "
          + Operation.Revoke.PATH;

  private ProposedRequest() {}

  static Operation read(String method, String path, byte[] body) {
    Request request = Request.ofBody(body);
    if (method.equals("POST") && path.equals(Operation.Revoke.PATH)) {
      return AgentRoutes.revocation(request);
    }
    Matcher of = OF_SYSTEM.matcher(path);
    if (!of.matches()) {
      throw Request.expected("path", EXPECTED);
    }
    String agent = of.group("agent");
    String system = of.group("system");
    return switch (method + Optional.ofNullable(of.group("verb")).orElse("")) {
      case "PUT" -> new Operation.Put(agent, system, SystemRoutes.edit(request), body);
      case "DELETE" -> delete(agent, system, request);
      case "POST/deploy" ->
          new Operation.Deploy(agent, system, SystemRoutes.optionalVersion(request));
      case "POST/rollback" ->
          new Operation.Rollback(agent, system, SystemRoutes.versionOf(request));
      default -> throw Request.expected("method", EXPECTED);
    };
  }

  private static Operation delete(String agent, String system, Request request) {
    if (!request.hasNoBody()) {
      throw Request.expected("body", "none with DELETE");
    }
    return new Operation.Delete(agent, system);
  }
}
