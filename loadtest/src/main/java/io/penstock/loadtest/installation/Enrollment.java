package io.penstock.loadtest.installation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fault.PenstockProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// How an agent gets trust: token, fingerprint compared on both sides, approval.
public final class Enrollment {
  private static final Pattern FINGERPRINT =
      Pattern.compile("fingerprint ([0-9A-Z]{4}-[0-9A-Z]{4})");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int NOT_FOUND = 404;

  private final PublicApi api;
  private final String agent;
  private final String site;

  public Enrollment(PublicApi api, String agent, String site) {
    this.api = api;
    this.agent = agent;
    this.site = site;
  }

  /// The agent's state at the broker; empty if it is not known there.
  public Optional<String> state() throws IOException {
    return look().map(node -> node.path("state").asText());
  }

  public String createToken() throws IOException {
    ObjectNode wanted = PublicApi.object().put("agent", agent).put("site", site);
    wanted.put("ttl_seconds", 600);
    return api.post("/enrollment-tokens", wanted).path("token").asText();
  }

  /// The fingerprint the agent prints, once the broker shows the same.
  public String compareFingerprints(PenstockProcess process)
      throws IOException, InterruptedException {
    String printed = process.awaitLine(FINGERPRINT, PATIENCE).group(1);
    JsonNode shown = await(node -> node.path("state").asText().equals("pending"), "pending");
    String fingerprint = shown.path("fingerprint").asText();
    if (!fingerprint.equals(printed)) {
      throw new IOException(
          "the agent prints "
              + printed
              + " and the broker shows "
              + fingerprint
              + ": not approved");
    }
    return printed;
  }

  /// The proof of possession may arrive a moment after the fingerprint; until then it is a
  /// conflict.
  public void approve(String fingerprint) throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        api.post(
            "/agents/" + agent + "/approve", PublicApi.object().put("fingerprint", fingerprint));
        return;
      } catch (ApiException e) {
        if (!e.isConflict("proof-missing") || System.nanoTime() > end) {
          throw e;
        }
        pause();
      }
    }
  }

  public JsonNode awaitOnline() throws IOException, InterruptedException {
    return await(node -> node.path("online").asBoolean(), "online");
  }

  private JsonNode await(Predicate<JsonNode> wanted, String name)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    Optional<JsonNode> seen = look();
    while (seen.filter(wanted).isEmpty()) {
      if (System.nanoTime() > end) {
        throw new IOException(
            agent
                + " is not "
                + name
                + " after "
                + PATIENCE.toSeconds()
                + " s, the broker says: "
                + seen.map(JsonNode::toString).orElse("unknown agent"));
      }
      pause();
      seen = look();
    }
    return seen.orElseThrow();
  }

  private Optional<JsonNode> look() throws IOException {
    try {
      return Optional.of(api.get("/agents/" + agent));
    } catch (ApiException e) {
      if (e.status() == NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static void pause() throws InterruptedException {
    Thread.sleep(100);
  }
}
