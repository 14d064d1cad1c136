package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Permission;
import io.penstock.broker.agents.GatewayClaim;
import io.penstock.broker.agents.Gateways;
import io.penstock.broker.agents.Gateways.Admitted;
import io.penstock.broker.agents.Gateways.Issued;
import io.penstock.broker.agents.Gateways.Outcome;
import io.penstock.broker.agents.Gateways.Shown;
import io.penstock.broker.delivery.GatewayReceipts;
import io.penstock.broker.gateways.GatewayService;
import io.penstock.broker.gateways.GatewayService.Beat;
import io.penstock.broker.gateways.GatewayService.Current;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `/api/v1/gateways`: agents without a tunnel (`docs/gateways.md`). All but the approval is for
/// machines, which are judged by what they sign and not by the table of rights.
final class GatewayRoutes {
  private static final String ALL = "/api/v1/gateways";
  private static final int HEARTBEAT_SECONDS = 30;
  private static final int PENDING_SECONDS = 10;
  private static final int MAX_RECEIPTS = 32;
  private static final int MAX_KEY_BYTES = 4096;

  private final Gateways gateways;
  private final GatewayService service;
  private final AgentRoutes agents;
  private final Accounts accounts;
  private final Clock clock;

  GatewayRoutes(
      Gateways gateways,
      GatewayService service,
      AgentRoutes agents,
      Accounts accounts,
      Clock clock) {
    this.gateways = gateways;
    this.service = service;
    this.agents = agents;
    this.accounts = accounts;
    this.clock = clock;
  }

  void addTo(Routes routes) {
    String one = ALL + "/:id";
    routes.open(HttpMethod.POST, ALL + "/register", _ -> register());
    routes.open(HttpMethod.POST, ALL + "/enroll", this::enroll);
    routes.open(HttpMethod.POST, one + "/proof", this::prove);
    routes.needs(Permission.AGENTS_MANAGE, HttpMethod.POST, one + "/approve", this::approve);
    routes.open(HttpMethod.POST, Gateways.TOKEN_PATH, this::token);
    routes.open(HttpMethod.POST, Gateways.TOKEN_PATH + "/renew", this::renew);
    routes.open(HttpMethod.GET, one + "/config/current", this::current);
    routes.open(HttpMethod.POST, one + "/heartbeat", this::heartbeat);
  }

  private static Answer register() {
    throw Problem.of(
        403,
        "self-registration-disabled",
        "gateways are enrolled with a token that an Admin made: POST " + ALL + "/enroll");
  }

  private Answer enroll(Request request) {
    JsonObject body =
        request.json(
            "gateway_id",
            "token_id",
            "binding",
            "sealing_key",
            "signing_key",
            "nonce",
            "claim",
            "signature",
            "hostname",
            "hardware_info");
    Map<String, String> hardware = Request.textMap(body, "hardware_info");
    var claim =
        new GatewayClaim(
            octets(body, "token_id", 16),
            Request.text(body, "gateway_id"),
            binding(body),
            key(body),
            octets(body, "signing_key", 32),
            octets(body, "nonce", 32),
            octets(body, "claim", 32),
            octets(body, "signature", 64),
            Request.optionalText(body, "hostname").orElse(""),
            hardware.getOrDefault("hardware", ""),
            hardware.getOrDefault("software", ""),
            remote(request));
    return gateways
        .enroll(claim)
        .map(this::answer)
        .orElseThrow(
            () ->
                Problem.of(
                    403,
                    "enrollment-denied",
                    "the enrollment was denied; an Admin finds the reason with the token"));
  }

  private Answer answer(Gateways.Pending pending) {
    return Answer.created(
        SystemRoutes.proven(
            new JsonObject()
                .put("gateway_id", pending.gateway())
                .put("state", "pending")
                .put("generation", pending.generation())
                .put("fingerprint", pending.fingerprint())
                .put("challenge", base64Url(pending.challenge()))
                .put("confirmation", base64Url(pending.confirmation()))
                .put("server_time", now()),
            service.proof()));
  }

  private static Binding binding(JsonObject body) {
    return Request.optionalText(body, "binding")
        .map(
            text ->
                Binding.of(text).orElseThrow(() -> Request.expected("binding", "key or bearer")))
        .orElse(Binding.KEY);
  }

  private static Octets key(JsonObject body) {
    Octets key = octets(body, "sealing_key");
    if (key.length() == 0 || key.length() > MAX_KEY_BYTES) {
      throw Request.expected("sealing_key", "an X-Wing public key");
    }
    return key;
  }

  private static Octets octets(JsonObject body, String field, int length) {
    Octets octets = octets(body, field);
    if (octets.length() != length) {
      throw Request.expected(field, length + " bytes in base64url");
    }
    return octets;
  }

  private static Octets octets(JsonObject body, String field) {
    try {
      return Octets.fromBase64Url(Request.text(body, field));
    } catch (SealException _) {
      throw Request.expected(field, "base64url without padding");
    }
  }

  private Answer prove(Request request) {
    byte[] opened = octets(request.json("opened"), "opened", 32).bytes();
    if (!gateways.prove(request.path("id"), opened, remote(request))) {
      throw Problem.of(
          403, "enrollment-denied", "expected what the challenge of a pending gateway holds");
    }
    return Answer.ok(new JsonObject().put("state", "pending").put("server_time", now()));
  }

  private Answer approve(Request request) {
    if (!accounts.sees(request.actor(), request.path("id"))) {
      throw Problem.notFound("agent");
    }
    return agents.approve(request);
  }

  private Answer token(Request request) {
    JsonObject body = request.json("gateway_id", "assertion");
    return answer(
        gateways.token(
            Request.text(body, "gateway_id"), Request.text(body, "assertion"), remote(request)));
  }

  private Answer renew(Request request) {
    return answer(gateways.renew(shown(request)));
  }

  private Answer answer(Outcome<Issued> outcome) {
    Issued issued = granted(outcome);
    return Answer.ok(
        new JsonObject()
            .put("gateway_id", issued.gateway())
            .put("token", issued.token())
            .put("token_type", issued.binding() == Binding.KEY ? "DPoP" : "Bearer")
            .put("expires_at", issued.expiresAt().toString())
            .put("server_time", now()));
  }

  private Answer current(Request request) {
    Admitted of = granted(gateways.admit(request.path("id"), shown(request)));
    Optional<String> only = request.query("system");
    if (only.isEmpty()) {
      String etag = "\"" + service.etag(of) + "\"";
      if (request.field("If-None-Match").filter(field -> names(field, etag)).isPresent()) {
        return new Answer(304, "").withField("ETag", etag);
      }
    }
    Current current = service.current(of, only);
    Answer answer = Answer.ok(json(of, current));
    return only.isEmpty() ? answer.withField("ETag", "\"" + current.etag() + "\"") : answer;
  }

  /// Compared weakly (RFC 9110, section 13.1.2).
  private static boolean names(String field, String etag) {
    return Arrays.stream(field.split(",", -1))
        .map(String::strip)
        .map(tag -> tag.startsWith("W/") ? tag.substring(2) : tag)
        .anyMatch(tag -> tag.equals("*") || tag.equals(etag));
  }

  private static JsonObject json(Admitted of, Current current) {
    var documents = new JsonObject();
    current.documents().forEach((system, document) -> documents.put(system, json(document)));
    return SystemRoutes.proven(
        new JsonObject()
            .put("gateway_id", of.gateway())
            .put("generation", of.generation())
            .put("head", current.headJws().orElse(null))
            .put("documents", documents)
            .put("left_out", new JsonArray(current.left())),
        current.proof());
  }

  /// The settings as text: the header's hash is about these very bytes.
  private static JsonObject json(ConfigurationDocument document) {
    byte[] sealed = document.sealed();
    return new JsonObject()
        .put("header", document.header())
        .put("settings_json", new String(document.settings(), StandardCharsets.UTF_8))
        .put("sealed", sealed == null ? null : new JsonObject(Buffer.buffer(sealed)));
  }

  private Answer heartbeat(Request request) {
    Admitted of = granted(gateways.admit(request.path("id"), shown(request)));
    JsonObject body =
        request.hasNoBody() ? new JsonObject() : request.json("state_digest", "receipts");
    Optional<Octets> digest =
        body.containsKey("state_digest")
            ? Optional.of(octets(body, "state_digest", 32))
            : Optional.empty();
    List<String> receipts = Request.texts(body, "receipts");
    if (receipts.size() > MAX_RECEIPTS
        || receipts.stream().anyMatch(jws -> jws.length() > GatewayReceipts.MAX_CHARS)) {
      throw Request.expected("receipts", "at most " + MAX_RECEIPTS + " signed receipts");
    }
    return switch (service.heartbeat(of, digest, receipts)) {
      case Beat.Taken(String etag, boolean inSync) ->
          Answer.ok(
              new JsonObject()
                  .put("etag", "\"" + etag + "\"")
                  .put("in_sync", inSync)
                  .put("next_in_seconds", HEARTBEAT_SECONDS)
                  .put("token_expires_at", of.tokenExpiresAt().toString())
                  .put("server_time", now()));
      case Beat.BadReceipt() ->
          throw Problem.badRequest("receipts: expected ones that the gateway's key signed");
    };
  }

  // Who asks.

  /// The scheme says how it is bound: `DPoP` with a proof, `Bearer` with none.
  private static Shown shown(Request request) {
    String field = request.field("Authorization").orElse("");
    String resource = request.origin().resource();
    int space = resource.indexOf(' ');
    boolean bound = field.regionMatches(true, 0, "DPoP ", 0, 5);
    boolean plain = field.regionMatches(true, 0, "Bearer ", 0, 7);
    if (!bound && !plain) {
      throw Problem.unauthorized();
    }
    return new Shown(
        field.substring(bound ? 5 : 7).strip(),
        bound ? Optional.of(request.field("DPoP").orElse("")) : Optional.empty(),
        resource.substring(0, space),
        resource.substring(space + 1),
        remote(request));
  }

  private static <T> T granted(Outcome<T> outcome) {
    return switch (outcome) {
      case Outcome.Granted<T>(T value) -> value;
      case Outcome.Refused<T>() -> throw Problem.unauthorized();
      case Outcome.NotApproved<T>(String state) ->
          throw state.equals("pending")
              ? Problem.later(403, state, "an operator has to approve the gateway", PENDING_SECONDS)
              : Problem.of(403, state, "the gateway is " + state);
      case Outcome.Limited<T>(int seconds) -> throw Problem.limited(seconds);
    };
  }

  /// The front says where a request comes from; without it, it comes from this machine.
  private static InetAddress remote(Request request) {
    return request
        .origin()
        .ip()
        .map(InetAddress::ofLiteral)
        .orElseGet(InetAddress::getLoopbackAddress);
  }

  private String now() {
    return clock.instant().toString();
  }

  private static String base64Url(byte[] bytes) {
    return Octets.of(bytes).base64Url();
  }
}
