package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Blocks;
import io.penstock.broker.access.OidcSignIns;
import io.penstock.broker.access.RequestLimits;
import io.penstock.broker.access.ServiceAccounts;
import io.penstock.broker.agents.AgentOperations;
import io.penstock.broker.agents.EnrollmentTokens;
import io.penstock.broker.agents.Gateways;
import io.penstock.broker.alarms.AlarmOperations;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditProof;
import io.penstock.broker.backup.Backups;
import io.penstock.broker.changes.Changes;
import io.penstock.broker.delivery.DeliveryOperations;
import io.penstock.broker.gateways.GatewayService;
import io.penstock.broker.live.LiveFeed;
import io.penstock.broker.measure.Instruments;
import io.penstock.broker.rotation.KeyOperations;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.Database;
import io.penstock.broker.systems.SystemOperations;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;

/// The API server, on a unix domain socket that only the front reaches.
public final class Api {
  private static final int MAX_BODY_BYTES = 2 * 1024 * 1024;

  /// Where the build lays the console's files.
  private static final String WEB_ROOT = "/webroot";

  /// The one spelling of a path that routes know. Everything else (escapes, dots, doubled or
  /// trailing slashes, parameters) names nothing, so that no spelling gets around a right.
  private static final Pattern CANONICAL =
      Pattern.compile("/|(/(?!\\.{1,2}(/|$))([A-Za-z0-9._~@+:-]|%40|%2[Bb])+)+");

  private final Vertx vertx;
  private final Router router;
  private final Routes routes;

  /// Everything the routes show.
  public record Features(
      Database database,
      Accounts accounts,
      Optional<OidcSignIns> oidc,
      ServiceAccounts serviceAccounts,
      RequestLimits limits,
      Blocks blocks,
      EnrollmentTokens enrollmentTokens,
      AgentOperations agents,
      Gateways gateways,
      GatewayService gatewayService,
      DeliveryOperations delivery,
      SystemOperations systems,
      Changes changes,
      KeyOperations keys,
      Audit audit,
      AuditProof proof,
      AlarmOperations alarms,
      Backups backups,
      Instruments instruments,
      LiveFeed live,
      Duration serviceTokenMaxTtl,
      Clock clock) {}

  public Api(Vertx vertx, Features features) {
    this.vertx = vertx;
    router = Router.router(vertx);
    router.route().handler(Api::requireCanonicalPath);
    router.route().handler(BodyHandler.create(false).setBodyLimit(MAX_BODY_BYTES));
    routes = new Routes(router, features.accounts(), features.limits());
    new AuthRoutes(features.accounts(), features.clock()).addTo(routes);
    new OidcRoutes(features.oidc(), features.clock()).addTo(routes);
    new RoleRoutes(routes).add();
    new UserRoutes(features.accounts()).addTo(routes);
    new ServiceAccountRoutes(features.serviceAccounts(), features.serviceTokenMaxTtl())
        .addTo(routes);
    new BlockRoutes(features.blocks()).addTo(routes);
    new EnrollmentTokenRoutes(features.enrollmentTokens()).addTo(routes);
    var changes = new ChangeRoutes(features.changes(), features.accounts());
    changes.addTo(routes);
    var agents =
        new AgentRoutes(
            features.agents(), features.systems(), changes, features.instruments().archive());
    agents.addTo(routes);
    new GatewayRoutes(
            features.gateways(),
            features.gatewayService(),
            agents,
            features.accounts(),
            features.clock())
        .addTo(routes);
    new MessageRoutes(features.delivery()).addTo(routes);
    new SystemRoutes(features.systems(), changes).addTo(routes);
    new KeyRoutes(features.keys()).addTo(routes);
    new AuditRoutes(features.audit()).addTo(routes);
    new AuditProofRoutes(features.proof(), features.clock()).addTo(routes);
    new AlarmRoutes(features.alarms()).addTo(routes);
    new SilenceRoutes(features.alarms()).addTo(routes);
    new BackupRoutes(features.backups()).addTo(routes);
    new LiveRoutes(features.live(), features.accounts()).addTo(routes);
    new MeasureRoutes(
            features.instruments(),
            features.live(),
            features.accounts(),
            features.agents(),
            features.database(),
            features.clock())
        .addTo(routes);
    addHealth(features.database());
    addOpenApi();
    new Console(WEB_ROOT).addTo(router);
    router.errorHandler(404, context -> refuse(context, Problem.notFound("resource")));
    router.errorHandler(
        405,
        context -> refuse(context, Problem.of(405, "method-not-allowed", "not with this method")));
    router.errorHandler(
        413, context -> refuse(context, Problem.of(413, "too-large", "expected at most 2 MiB")));
    router.errorHandler(400, context -> refuse(context, Problem.badRequest("malformed request")));
    router.errorHandler(500, context -> refuse(context, Problem.internal()));
  }

  /// Listens on the socket file `path`; a stale file of a killed broker is replaced.
  public HttpServer listen(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot replace " + path, e);
    }
    return vertx
        .createHttpServer(new HttpServerOptions().setMaxHeaderSize(64 * 1024))
        .requestHandler(router)
        .listen(SocketAddress.domainSocketAddress(path.toString()))
        .toCompletionStage()
        .toCompletableFuture()
        .join();
  }

  /// An alarm as `/api/v1/alarms` shows it.
  public static JsonObject alarmJson(Alarm alarm) {
    return AlarmRoutes.json(alarm);
  }

  /// The router itself, for tests.
  Router router() {
    return router;
  }

  List<Routes.Registered> registered() {
    return routes.registered();
  }

  private static void requireCanonicalPath(RoutingContext context) {
    if (CANONICAL.matcher(context.request().path()).matches()) {
      context.next();
    } else {
      refuse(context, Problem.notFound("resource"));
    }
  }

  private static void refuse(RoutingContext context, Problem problem) {
    Routes.write(context.response(), problem, UUID.randomUUID().toString());
  }

  private void addHealth(Database database) {
    var readiness = new Readiness(() -> database.answers(Duration.ofSeconds(2)), System::nanoTime);
    for (String prefix : List.of("/health", "/api/v1/health")) {
      routes.open(HttpMethod.GET, prefix + "/live", _ -> new Answer(200, "{\"status\":\"live\"}"));
      routes.open(
          HttpMethod.GET,
          prefix + "/ready",
          _ -> {
            if (!readiness.isReady()) {
              throw Problem.unavailable();
            }
            return new Answer(200, "{\"status\":\"ready\"}");
          });
    }
  }

  /// Last, because it describes all the others.
  private void addOpenApi() {
    String path = "/api/v1/openapi.json";
    var document = new AtomicReference<String>("");
    routes.open(HttpMethod.GET, path, _ -> new Answer(200, document.get()));
    document.set(OpenApi.of(routes.registered()).encode());
  }
}
