package io.penstock.loadtest.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.VerifyingKey;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Configurations as an engineer's program writes and deploys them: secrets are sealed here, to the
/// key of an agent record that the pinned root vouches for. Thread-safe.
public final class Configurations {
  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
  private static final Set<String> DECIDED = Set.of("applied", "refused", "superseded", "removed");
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final PublicApi api;
  private final Octets rootSha256;
  private final SecureRandom random = new SecureRandom();

  /// @param rootSha256 as every enrollment token pins it
  public Configurations(PublicApi api, Octets rootSha256) {
    this.api = api;
    this.rootSha256 = rootSha256;
  }

  /// The API's body for an `http` system that may be read, all of it, and has no secrets.
  public static ObjectNode readable(String baseUrl) {
    ObjectNode settings = PublicApi.object().put("base_url", baseUrl);
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add("/**");
    ObjectNode body = PublicApi.object().put("plugin", "http");
    body.set("settings", settings);
    body.putArray("secret_names");
    body.putNull("sealed");
    return body;
  }

  /// One agent's record, believed because of the pinned root.
  public AgentRecord recordOf(String agent) throws IOException {
    JsonNode key = api.get("/agents/" + agent + "/sealing-key");
    VerifyingKey root = VerifyingKey.fromBase64Url(key.path("root_public").asText());
    var links = new ArrayList<RootLink>();
    key.path("cross_signatures")
        .forEach(
            link ->
                links.add(
                    new RootLink(
                        VerifyingKey.fromBase64Url(link.path("root_public").asText()),
                        link.path("jws").asText())));
    Keyset keyset =
        Keyset.verify(key.path("keyset").asText(), root, links, rootSha256, Instant.now());
    AgentRecord record = AgentRecord.verify(key.path("record").asText(), keyset);
    if (!record.agent().equals(agent)) {
      throw new IOException("expected the record of " + agent + ", found " + record.agent());
    }
    return record;
  }

  /// Writes a new version. Returns its number.
  ///
  /// @param secrets empty = none
  public long put(
      AgentRecord to,
      String system,
      String plugin,
      ObjectNode settings,
      Map<String, String> secrets)
      throws IOException {
    ObjectNode body = PublicApi.object().put("plugin", plugin);
    body.set("settings", settings);
    ArrayNode names = body.putArray("secret_names");
    secrets.keySet().stream().sorted().forEach(names::add);
    if (secrets.isEmpty()) {
      body.putNull("sealed");
    } else {
      body.set("sealed", seal(to, system, plugin, settings, secrets));
    }
    return api.put(path(to.agent(), system), body).path("version").asLong();
  }

  private JsonNode seal(
      AgentRecord to,
      String system,
      String plugin,
      ObjectNode settings,
      Map<String, String> secrets)
      throws IOException {
    PluginSchema schema =
        PluginSchema.of(plugin).orElseThrow(() -> new IOException("no plugin " + plugin));
    var owner =
        new SealedFor(
            to.agent(),
            to.generation(),
            system,
            schema.destinationOf(JSON.writeValueAsBytes(settings)));
    byte[] plain = JSON.writeValueAsBytes(secrets);
    try {
      SealedSecrets sealed =
          SealedSecrets.seal(plain, owner, to.sealingPublic(), Optional.empty(), random);
      return JSON.readTree(sealed.toJson());
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  /// Deploys the newest version.
  public void deploy(String agent, String system) throws IOException {
    api.post(path(agent, system) + "/deploy", PublicApi.object());
  }

  /// What became of the deployed version, once the agent's receipt is there.
  public JsonNode awaitDecision(String agent, String system, Duration patience)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    JsonNode shown = api.get(path(agent, system));
    while (!DECIDED.contains(shown.path("state").asText())) {
      if (System.nanoTime() > end) {
        throw new IOException(
            system + " is not decided after " + patience.toSeconds() + " s: " + shown);
      }
      Thread.sleep(LOOK_AGAIN);
      shown = api.get(path(agent, system));
    }
    return shown;
  }

  private static String path(String agent, String system) {
    return "/agents/" + agent + "/systems/" + system;
  }
}
