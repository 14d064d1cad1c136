package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Permission;
import io.penstock.broker.access.SessionWatches;
import io.penstock.broker.live.Interest;
import io.penstock.broker.live.LiveFeed;
import io.penstock.broker.live.LiveFeed.Reservation;
import io.penstock.broker.live.LiveFeed.Seat;
import io.penstock.broker.live.LiveStream.End;
import io.penstock.broker.live.Outlet;
import io.penstock.broker.live.Topic;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// `/api/v1/live`: server-sent events of everything that one watches, in one stream.
final class LiveRoutes {
  private static final int RETRY_SECONDS = 5;

  private final LiveFeed feed;
  private final Accounts accounts;

  LiveRoutes(LiveFeed feed, Accounts accounts) {
    this.feed = feed;
    this.accounts = accounts;
  }

  void addTo(Routes routes) {
    routes.streams(Permission.DASHBOARDS_READ, HttpMethod.GET, "/api/v1/live", this::open);
  }

  private Routes.Stream open(Request request) {
    Actor actor = request.actor();
    Set<Topic> topics = topics(request);
    for (Topic topic : topics) {
      requirePermission(actor, topic);
    }
    Optional<String> agent = request.query("agent");
    agent.ifPresent(name -> requireVisible(actor, name));
    Reservation reservation =
        feed.reserve(
            actor.session(),
            actor.scope(),
            new Interest(topics, agent),
            request.field("Last-Event-ID").or(() -> request.query("last_event_id")));
    return switch (reservation) {
      case Reservation.Refused(LiveFeed.Refusal why) -> throw refused(why);
      case Reservation.Reserved(Seat seat) -> begun(actor, seat);
    };
  }

  private static Set<Topic> topics(Request request) {
    List<String> names =
        Arrays.asList(request.query("topics").orElseThrow(LiveRoutes::expectedTopics).split(","));
    var topics = EnumSet.noneOf(Topic.class);
    for (String name : names) {
      topics.add(Topic.of(name).orElseThrow(LiveRoutes::expectedTopics));
    }
    return topics;
  }

  private static Problem expectedTopics() {
    return Request.expected(
        "topics",
        "some of "
            + Arrays.stream(Topic.values()).map(Topic::text).collect(Collectors.joining(", "))
            + ", with commas between them");
  }

  /// How a broker does is about all agents.
  private static void requirePermission(Actor actor, Topic topic) {
    boolean within = topic != Topic.BROKER || actor.scope().isEverything();
    if (!within || !actor.may(topic.permission())) {
      throw Problem.forbidden(topic.permission().text());
    }
  }

  private void requireVisible(Actor actor, String agent) {
    if (!accounts.sees(actor, agent)) {
      throw Problem.notFound("agent");
    }
  }

  private static Problem refused(LiveFeed.Refusal why) {
    return switch (why) {
      case TOO_MANY_OF_SESSION ->
          Problem.later(
              429, "too-many-streams", "this sign-in watches in too many places", RETRY_SECONDS);
      case TOO_MANY -> Problem.later(503, "overloaded", "too many streams are open", RETRY_SECONDS);
    };
  }

  /// From here on the seat is ours to give back.
  private Routes.Stream begun(Actor actor, Seat seat) {
    Optional<SessionWatches.Watch> watch =
        accounts.watches().watch(actor, (SessionWatches.End why) -> seat.end(end(why)));
    if (watch.isEmpty()) {
      seat.close();
      throw refused(LiveFeed.Refusal.TOO_MANY);
    }
    return (response, requestId) -> begin(response, requestId, seat, watch.get());
  }

  private static End end(SessionWatches.End why) {
    return switch (why) {
      case SESSION_OVER -> End.SESSION_OVER;
      case RIGHTS_CHANGED -> End.RIGHTS_CHANGED;
    };
  }

  private static void begin(
      HttpServerResponse response, String requestId, Seat seat, SessionWatches.Watch watch) {
    Runnable gone =
        () -> {
          watch.close();
          seat.close();
        };
    if (response.closed()) {
      gone.run();
      return;
    }
    response.closeHandler(_ -> gone.run());
    response.endHandler(_ -> gone.run());
    response.exceptionHandler(_ -> gone.run());
    response.drainHandler(_ -> seat.pump());
    response
        .setChunked(true)
        .putHeader("Content-Type", "text/event-stream")
        .putHeader("Cache-Control", "no-store")
        .putHeader("X-Accel-Buffering", "no")
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Penstock-Request-Id", requestId);
    Context loop = Objects.requireNonNull(Vertx.currentContext(), "not on an event loop");
    seat.begin(new Connection(response), step -> loop.runOnContext(_ -> step.run()));
  }

  /// Writes to one response. A write that fails ends its connection, which the handlers hear of.
  private record Connection(HttpServerResponse response) implements Outlet {
    @Override
    public boolean writeQueueFull() {
      return response.writeQueueFull();
    }

    @Override
    public void write(String text) {
      if (!response.ended() && !response.closed()) {
        var _ = response.write(text);
      }
    }

    @Override
    public void end() {
      if (!response.ended() && !response.closed()) {
        var _ = response.end();
      }
    }
  }
}
