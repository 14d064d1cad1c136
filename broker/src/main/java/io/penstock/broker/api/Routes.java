package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.Permission;
import io.penstock.broker.access.RequestLimits;
import io.penstock.broker.problem.ProblemDocument;
import io.penstock.broker.store.StoreUnavailableException;
import io.vertx.core.Context;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Registers routes so that none can be left open by accident: a route is open by name, or for
/// everybody who is signed in, or needs a permission. Handlers run on virtual threads, at most 256
/// at a time; beyond, the answer is 503.
final class Routes {
  private static final Logger LOG = LoggerFactory.getLogger(Routes.class);
  private static final int AT_ONCE = 256;

  /// What is below it is about one agent.
  private static final String ONE_AGENT = "/api/v1/agents/:id";

  /// Straight-line code behind a route.
  interface Handler {
    Answer answer(Request request);
  }

  /// An answer that goes on: begun on the event loop, ended by whoever began it.
  interface Stream {
    void begin(HttpServerResponse response, String requestId);
  }

  /// Straight-line code that decides whether, and with what, a stream begins.
  interface StreamHandler {
    Stream open(Request request);
  }

  /// A route as it was registered: the one table of who may call what.
  record Registered(String method, String path, Right right) {
    /// As OpenAPI writes paths.
    String template() {
      return PARAMETER.matcher(path).replaceAll("{$1}");
    }

    /// Asked by machines that watch, as often as they like.
    boolean isOfHealth() {
      return path.startsWith("/health/") || path.startsWith("/api/v1/health/");
    }

    boolean isOfOneAgent() {
      return path.equals(ONE_AGENT) || path.startsWith(ONE_AGENT + "/");
    }
  }

  private static final Pattern PARAMETER = Pattern.compile(":([a-z_]+)");

  private final Router router;
  private final Accounts accounts;
  private final RequestLimits limits;
  private final Semaphore slots = new Semaphore(AT_ONCE);
  private final List<Registered> registered = new ArrayList<>();

  Routes(Router router, Accounts accounts, RequestLimits limits) {
    this.router = router;
    this.accounts = accounts;
    this.limits = limits;
  }

  List<Registered> registered() {
    return Collections.unmodifiableList(registered);
  }

  /// For everybody.
  void open(HttpMethod method, String path, Handler handler) {
    register(method, path, new Right.Open(), handler);
  }

  void signedIn(HttpMethod method, String path, Handler handler) {
    register(method, path, new Right.SignedIn(), handler);
  }

  void needs(Permission permission, HttpMethod method, String path, Handler handler) {
    register(method, path, new Right.Needs(permission), handler);
  }

  /// An answer that goes on for as long as somebody reads it.
  void streams(Permission permission, HttpMethod method, String path, StreamHandler handler) {
    add(method, path, new Right.Needs(permission), handler);
  }

  private void register(HttpMethod method, String path, Right right, Handler handler) {
    add(
        method,
        path,
        right,
        request -> {
          Answer answer = handler.answer(request);
          return (response, requestId) -> write(response, answer, requestId);
        });
  }

  private void add(HttpMethod method, String path, Right right, StreamHandler handler) {
    var route = new Registered(method.name(), path, right);
    registered.add(route);
    router.route(method, path).handler(context -> dispatch(context, route, handler));
  }

  /// The one guard in front of every handler.
  private Request judged(Request request, Registered route) {
    return switch (route.right()) {
      case Right.Open() -> request;
      case Right.SignedIn() -> authenticated(request);
      case Right.Needs(Permission permission) -> {
        Request known = authenticated(request);
        if (!known.actor().may(permission)) {
          throw Problem.forbidden(permission.text());
        }
        requireInScope(known, route);
        yield known;
      }
    };
  }

  /// The request of whoever signed it; throws where nobody did.
  Request authenticated(Request request) {
    Optional<String> token = request.token();
    Optional<Actor> actor = token.flatMap(text -> accounts.authenticate(text, request.origin()));
    if (actor.isEmpty()) {
      token.ifPresent(text -> refused(text, request));
      throw Problem.unauthorized();
    }
    int seconds = limits.ofPerson(actor.get());
    if (seconds > 0) {
      throw Problem.limited(seconds);
    }
    return request.as(actor.get());
  }

  /// Only of tokens that are none of ours there is a limit: who was signed out has to hear it.
  private void refused(String token, Request request) {
    int seconds = accounts.isOurs(token) ? 0 : limits.ofBadToken(request.origin().ip());
    if (seconds > 0) {
      throw Problem.limited(seconds);
    }
    accounts.refused(request.origin());
  }

  /// An agent that is out of somebody's scope is, for them, none.
  private void requireInScope(Request request, Registered route) {
    if (route.isOfOneAgent() && !accounts.sees(request.actor(), request.path("id"))) {
      throw Problem.notFound("agent");
    }
  }

  private void dispatch(RoutingContext context, Registered route, StreamHandler handler) {
    String requestId = UUID.randomUUID().toString();
    int seconds = route.isOfHealth() ? 0 : limits.ofAddress(origin(context.request()).ip());
    if (seconds > 0) {
      write(context.response(), Problem.limited(seconds), requestId);
      return;
    }
    if (!slots.tryAcquire()) {
      write(context.response(), Problem.unavailable(), requestId);
      return;
    }
    Context loop = context.vertx().getOrCreateContext();
    Request request = Request.of(context, origin(context.request()));
    Thread.ofVirtual()
        .name("api-" + requestId)
        .start(
            () -> {
              try {
                Stream answer = handler.open(judged(request, route));
                loop.runOnContext(_ -> answer.begin(context.response(), requestId));
              } catch (RuntimeException failure) {
                Problem problem = problem(failure, requestId);
                loop.runOnContext(_ -> write(context.response(), problem, requestId));
              } finally {
                slots.release();
              }
            });
  }

  /// The one place where failures become answers.
  private static Problem problem(RuntimeException failure, String requestId) {
    return switch (failure) {
      case Problem problem -> problem;
      case StoreUnavailableException away -> {
        LOG.warn("request {} is answered 503: {}", requestId, away.getMessage());
        yield Problem.unavailable();
      }
      default -> {
        LOG.error("request {} failed", requestId, failure);
        yield Problem.internal();
      }
    };
  }

  private static void write(HttpServerResponse response, Answer answer, String requestId) {
    if (response.closed()) {
      answer.file().ifPresent(Routes::delete);
      return;
    }
    if (!answer.cookies().isEmpty()) {
      response.putHeader("Set-Cookie", answer.cookies());
    }
    response
        .setStatusCode(answer.status())
        .putHeader("Cache-Control", "no-store")
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Penstock-Request-Id", requestId);
    answer.fields().forEach(response::putHeader);
    if (answer.file().isPresent()) {
      Path file = answer.file().get();
      response.putHeader("Content-Type", answer.type());
      response
          .sendFile(file.toString())
          .onFailure(failure -> LOG.warn("request {}: its file was not sent", requestId, failure))
          .onComplete(_ -> delete(file));
    } else if (answer.body().isEmpty()) {
      response.end();
    } else {
      response.putHeader("Content-Type", answer.type());
      if (!answer.link().isEmpty()) {
        response.putHeader("Link", answer.link());
      }
      response.end(answer.body());
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.warn("cannot delete {}", file, e);
    }
  }

  static void write(HttpServerResponse response, Problem problem, String requestId) {
    if (response.closed()) {
      return;
    }
    if (problem.status() == 401) {
      response.putHeader("WWW-Authenticate", "Bearer realm=\"penstock\"");
    }
    if (problem.endsCookies()) {
      response.putHeader("Set-Cookie", SessionCookies.CLEARED);
    }
    problem
        .retryAfterSeconds()
        .ifPresent(seconds -> response.putHeader("Retry-After", Integer.toString(seconds)));
    response
        .setStatusCode(problem.status())
        .putHeader("Cache-Control", "no-store")
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Penstock-Request-Id", requestId)
        .putHeader("Content-Type", ProblemDocument.MEDIA_TYPE)
        .end(problem.document().json(requestId));
  }

  /// The socket behind the front is reachable by the front alone, which sets this field itself.
  private static Origin origin(HttpServerRequest request) {
    return new Origin(
        Optional.ofNullable(request.getHeader("X-Forwarded-For")),
        Optional.ofNullable(request.getHeader("User-Agent")),
        request.method() + " " + request.path());
  }
}
