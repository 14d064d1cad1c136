package io.penstock.loadtest.fault;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.AppliedEvent;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fault.DeliveryHistory.Answer;
import io.penstock.loadtest.fault.DeliveryHistory.Change;
import io.penstock.loadtest.fault.DeliveryHistory.End;
import io.penstock.loadtest.fault.DeliveryHistory.Fate;
import io.penstock.loadtest.fault.DeliveryHistory.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One system that is changed again and again, and what is known of it. Each change has a number,
/// which stands in a sealed header value: a call through the tunnel to a system that echoes its
/// headers tells which version is applied.
///
/// One thread changes it and one looks at it, which may be two.
final class ChangingSystem {
  private static final String HEADER = "X-Change";
  private static final Pattern SEEN = Pattern.compile("\\[\"" + HEADER + "\",\"change-(\\d+)\"]");
  private static final String SYSTEM = "echo";
  private static final int AUDIT_PAGE = 1_000;
  private static final int UNAUTHORIZED = 401;
  private static final int UNAVAILABLE = 503;

  private final Plant plant;
  private final AgentRecord agent;
  private final Configurations configurations;
  private final List<Change> changes = new ArrayList<>();
  private final List<Integer> seen = new ArrayList<>();

  ChangingSystem(Plant plant, AgentRecord agent) {
    this.plant = plant;
    this.agent = agent;
    configurations = plant.configurations();
  }

  String agent() {
    return agent.agent();
  }

  private String path() {
    return "/agents/" + agent() + "/systems/" + SYSTEM;
  }

  private ObjectNode settings() {
    ObjectNode settings = PublicApi.object().put("base_url", plant.erp().url());
    settings.put("header_name", HEADER);
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add("/headers");
    return settings;
  }

  /// Writes and deploys the next version; notes how that was answered. False: sign in again.
  boolean change() {
    int number = changes.size() + 1;
    Optional<Long> version = Optional.empty();
    Answer answer = Answer.NOT_DEPLOYED;
    boolean signedIn = true;
    try {
      version =
          Optional.of(
              configurations.put(
                  agent, SYSTEM, "http", settings(), Map.of("header_value", "change-" + number)));
      answer = Answer.UNKNOWN;
      configurations.deploy(agent(), SYSTEM);
      answer = Answer.ACKNOWLEDGED;
    } catch (ApiException answered) {
      // Only because the broker was not itself: everything else would be our mistake.
      signedIn = answered.status() != UNAUTHORIZED;
      if (!signedIn) {
        answer = Answer.NOT_DEPLOYED;
      } else if (answered.status() != UNAVAILABLE) {
        throw new AssertionError(answered.getMessage(), answered);
      }
    } catch (IOException unknown) {
      // The broker died within the call.
    }
    changes.add(new Change(number, version, answer));
    return signedIn;
  }

  boolean isAcknowledged() {
    return changes.getLast().answer() == Answer.ACKNOWLEDGED;
  }

  /// Notes what a call sees; whether it saw anything.
  boolean look() {
    Optional<Integer> now = seen();
    now.ifPresent(seen::add);
    return now.isPresent();
  }

  private Optional<Integer> seen() {
    try {
      HttpResponse<InputStream> answer =
          plant
              .api()
              .invoke(
                  plant.serviceToken(),
                  "GET",
                  "/" + agent() + "/" + SYSTEM + "/headers",
                  BodyPublishers.noBody());
      try (InputStream body = answer.body()) {
        String text = new String(body.readAllBytes(), StandardCharsets.UTF_8);
        Matcher matcher = SEEN.matcher(text);
        return answer.statusCode() == 200 && matcher.find()
            ? Optional.of(Integer.parseInt(matcher.group(1)))
            : Optional.empty();
      }
    } catch (IOException away) {
      return Optional.empty();
    }
  }

  /// Waits until nothing is on its way any more, with everybody alive, and tells the whole story.
  DeliveryHistory settle() throws IOException {
    plant.await(
        agent() + " has dealt with what is deployed: " + path(),
        () -> waiting() == 0 && !plant.api().get(path()).path("drift").asBoolean(true));
    plant.await(agent() + " serves", this::look);
    JsonNode shown = plant.api().get(path());
    var end =
        new End(
            shown.path("deployed_version").asLong(),
            shown.path("applied_version").asLong(),
            waiting(),
            seen());
    return new DeliveryHistory(agent() + "/" + SYSTEM, changes, seen, fates(), end);
  }

  private int waiting() throws IOException {
    return plant.api().get("/agents/" + agent() + "/messages").path("messages").size();
  }

  /// From the audit, in its order.
  private List<Fate> fates() throws IOException {
    List<JsonNode> events = new ArrayList<>();
    events.addAll(events("system.applied", agent() + "/" + SYSTEM));
    events.addAll(events("system.refused", agent() + "/" + SYSTEM));
    events.addAll(events("gateway.message-superseded", agent()));
    events.sort((one, other) -> Long.compare(one.path("id").asLong(), other.path("id").asLong()));
    List<Fate> fates = new ArrayList<>();
    for (JsonNode event : events) {
      switch (event.path("event_type").asText()) {
        case "system.applied" ->
            AppliedEvent.versions(event, SYSTEM)
                .forEach(version -> fates.add(new Fate(version, Kind.APPLIED)));
        case "system.refused" ->
            fates.add(new Fate(event.at("/changes/version").asLong(), Kind.REFUSED));
        default -> fates.add(new Fate(event.at("/changes/version").asLong(), Kind.SUPERSEDED));
      }
    }
    return fates;
  }

  /// All pages, the newest event first.
  private List<JsonNode> events(String type, String resource) throws IOException {
    List<JsonNode> events = new ArrayList<>();
    String before = "";
    while (true) {
      JsonNode page =
          plant
              .api()
              .get(
                  "/audit?event_type="
                      + type
                      + "&limit="
                      + AUDIT_PAGE
                      + "&resource_id="
                      + resource
                      + before);
      page.forEach(events::add);
      if (page.size() < AUDIT_PAGE) {
        return Collections.unmodifiableList(events);
      }
      before = "&before=" + page.get(page.size() - 1).path("id").asLong();
    }
  }
}
