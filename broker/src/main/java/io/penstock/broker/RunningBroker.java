package io.penstock.broker;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.penstock.broker.access.AccessNews;
import io.penstock.broker.access.AccessTokens;
import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Blocks;
import io.penstock.broker.access.OidcSignIns;
import io.penstock.broker.access.Passwords;
import io.penstock.broker.access.RequestLimits;
import io.penstock.broker.access.ServiceAccounts;
import io.penstock.broker.agents.Agents;
import io.penstock.broker.agents.EnrollmentTokens;
import io.penstock.broker.agents.EnrollmentTokens.Pin;
import io.penstock.broker.agents.Gateways;
import io.penstock.broker.alarms.Alarms;
import io.penstock.broker.api.Api;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditProof;
import io.penstock.broker.backup.Backups;
import io.penstock.broker.changes.Changes;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.delivery.Delivery;
import io.penstock.broker.edge.EdgeSettings;
import io.penstock.broker.edge.InvocationEdge;
import io.penstock.broker.edge.InvocationGates;
import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.edge.RateLimit;
import io.penstock.broker.edge.RollUps;
import io.penstock.broker.edge.Tracing;
import io.penstock.broker.front.Front;
import io.penstock.broker.front.FrontSettings;
import io.penstock.broker.front.PublicPort;
import io.penstock.broker.front.Ticker;
import io.penstock.broker.gateways.GatewayService;
import io.penstock.broker.gateways.GatewaySessions;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.live.AnnouncedAlarms;
import io.penstock.broker.live.LiveFeed;
import io.penstock.broker.measure.Instruments;
import io.penstock.broker.measure.NodeStatus;
import io.penstock.broker.rotation.KeyRotation;
import io.penstock.broker.routing.RoutingTable;
import io.penstock.broker.store.AccessHints;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.DatabaseAddress;
import io.penstock.broker.store.EmbeddedPostgres;
import io.penstock.broker.store.Hints;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.Migrations;
import io.penstock.broker.store.ServiceAccountTable;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.systems.Systems;
import io.penstock.broker.telemetry.Metrics;
import io.penstock.broker.telemetry.MetricsServer;
import io.penstock.broker.trace.InvocationSpans;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.Sessions;
import io.penstock.broker.tunnel.TunnelEndpoint;
import io.penstock.broker.tunnel.TunnelSettings;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.mux.CreditPool;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One broker, wired by hand and started in the order that its parts need each other; stopped in
/// the
/// opposite one.
final class RunningBroker {
  private static final Logger LOG = LoggerFactory.getLogger(RunningBroker.class);
  private static final Duration DRAIN_SPREAD = Duration.ofSeconds(5);

  private static final int FLUSH_SECONDS = 10;
  private static final int ALARMS_SECONDS = 15;
  private static final int HEADS_SECONDS = 60;
  private static final int SESSIONS_SECONDS = 2;
  private static final int CHANGES_SECONDS = 60;
  private static final int DROP_MINUTES = 60;

  private final BrokerConfig config;
  private final Clock clock = Clock.systemUTC();
  private final SecureRandom random = new SecureRandom();
  private final DataDirectory data;
  private final BrokerKeys keys;
  private final TlsIdentity tls;
  private final Optional<DatabaseAddress> external;
  private final Optional<EmbeddedPostgres> embedded;
  private final Vertx vertx;
  private final Database database;
  private final Audit audit;
  private final AuditProof proof;
  private final AccessNews accessNews = new AccessNews();
  private final Hints accessHints;
  private final RequestLimits limits;
  private final Blocks blocks;
  private final Accounts accounts;
  private final Optional<OidcSignIns> oidc;
  private final ServiceAccounts serviceAccounts;
  private final RoutingTable routing = new RoutingTable();
  private final Sessions sessions = new Sessions(routing);
  private final Agents agents;
  private final GatewaySessions gatewaySessions = new GatewaySessions();
  private final Gateways gateways;
  private final GatewayService gatewayService;
  private final Delivery delivery;
  private final Hints hints;
  private final Systems systems;
  private final Changes changes;
  private final KeyRotation rotation;
  private final RollUps rollUps;
  private final Instruments instruments;
  private final Optional<InvocationSpans> spans;
  private final LiveFeed live;
  private final Metrics metrics;
  private final Alarms alarms;
  private final Hints alarmHints;
  private final ScheduledExecutorService upkeep =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("upkeep").factory());
  private final MultiThreadIoEventLoopGroup loops;
  private final PublicPort port;
  private final TunnelEndpoint tunnels;
  private final ApiSocket socket;
  private final Front front;
  private Optional<MetricsServer> metricsServer = Optional.empty();

  private RunningBroker(BrokerConfig config, Vertx vertx, MultiThreadIoEventLoopGroup loops)
      throws IOException {
    this.config = config;
    data = DataDirectory.open(config.data());
    this.vertx = vertx;
    this.loops = loops;
    // Served last; who comes until then waits.
    port = PublicPort.bind(loops, config.listen().host(), config.listen().port());
    external = config.database().url().map(_ -> DatabaseAddress.of(config.database()));
    database =
        Database.connect(
            vertx,
            this::databaseAddress,
            config.database().poolSize(),
            config.database().deadline());
    // Keys, TLS and the way to an external database do not need each other.
    Optional<Ahead<Boolean>> schemaAhead =
        external.map(_ -> Ahead.of("schema", () -> Migrations.areComplete(database)));
    keys =
        BrokerKeys.open(
            data, MasterKey.load(config.keys().masterKeyFile(), data, random), random, clock);
    Ahead<TlsIdentity> tlsAhead =
        Ahead.of("tls", () -> TlsIdentity.of(config.tls(), data, keys.kek(), clock));
    embedded = external.isPresent() ? Optional.empty() : Optional.of(embedded(tlsAhead));
    if (!schemaAhead.map(Ahead::get).orElseGet(() -> Migrations.areComplete(database))) {
      // A configuration that is wrong is said before anything is written.
      tlsAhead.get();
      Migrations.run(databaseAddress());
    }
    audit = new Audit(database, keys.rowMac(), clock);
    proof =
        new AuditProof(
            new AuditProof.Surroundings(
                database,
                keys,
                data,
                audit,
                config.audit().retention(),
                config.audit().kafka(),
                config.node(),
                clock));
    var tokens = new AccessTokens(vertx, keys::jwtKeys);
    accounts =
        new Accounts(
            database,
            new UserTable(keys.rowMac()),
            audit,
            new Passwords(random),
            tokens,
            accessNews,
            config.access(),
            random,
            clock);
    oidc = config.oidc().map(it -> accounts.oidc(vertx, it, config.externalUrl()));
    serviceAccounts =
        new ServiceAccounts(
            database,
            new ServiceAccountTable(keys.rowMac()),
            audit,
            tokens,
            accounts,
            accessNews,
            clock);
    limits = new RequestLimits(config.access(), System::nanoTime);
    blocks =
        new Blocks(
            database,
            audit,
            accessNews,
            config.access().allowedCidrs(),
            config.listen().trustedProxies(),
            clock);
    accessHints =
        new Hints(
            vertx,
            this::databaseAddress,
            AccessHints.CHANNEL,
            accessNews::hint,
            accessNews::listening);
    agents =
        new Agents(
            new Agents.Surroundings(
                database,
                keys,
                new SessionsOfAgents(sessions, gatewaySessions),
                (tx, agent, generation) -> systems().documents().head(tx, agent, generation),
                random,
                clock,
                config.node(),
                1));
    systems =
        new Systems(
            new Systems.Surroundings(
                database,
                keys,
                agents.approved(),
                new SessionsOfAgents(sessions, new GatewaySessions()),
                () -> delivery().queue(),
                random,
                clock));
    delivery =
        new Delivery(
            new Delivery.Surroundings(
                database,
                new MessageTable(keys.rowMac()),
                systems.documents(),
                agents.enrollments(),
                keys::sign,
                audit,
                clock));
    gateways =
        agents.gateways(
            new Gateways.Settings(
                config.externalUrl(),
                config.gateways().plainBearer(),
                config.gateways().tokenTtl()),
            tokens);
    gatewayService =
        new GatewayService(
            database,
            systems.documents(),
            gateways,
            gatewaySessions,
            delivery.gatewayReceipts(),
            keys,
            clock);
    rotation =
        new KeyRotation(
            new KeyRotation.Surroundings(
                database,
                keys,
                audit,
                agents.keyUpkeep(),
                systems.keyUpkeep(),
                new CaKeyFile(data, keys.kek()),
                longestToken(config),
                clock));
    changes =
        new Changes(
            new Changes.Surroundings(
                database,
                keys,
                systems,
                agents.operations(),
                accounts,
                audit,
                accessNews,
                config.changes(),
                clock));
    sessions.alsoTell(delivery);
    hints =
        new Hints(
            vertx,
            this::databaseAddress,
            MessageTable.CHANNEL,
            delivery::hint,
            delivery::listening);
    rollUps = new RollUps(clock, new InvocationAudit(database, audit));
    var tickers = new Ticker.Each();
    tunnels =
        new TunnelEndpoint(
            tunnelSettings(),
            agents.authority(),
            sessions,
            delivery,
            new CreditPool(config.tunnel().creditPoolBytes()),
            tickers,
            io.penstock.codec.session.Clock.SYSTEM);
    socket = ApiSocket.in(data);
    instruments =
        new Instruments(
            new Instruments.Surroundings(
                database,
                config.node(),
                BrokerVersion.TEXT,
                config.telemetry().maxSeries(),
                loops,
                this::traffic,
                () -> live().use(),
                clock));
    spans =
        config
            .telemetry()
            .otlpEndpoint()
            .map(to -> InvocationSpans.exportingTo(to, config.node(), clock));
    metrics =
        new Metrics(
            new Metrics.Sources(
                tunnels::counters,
                () -> front().counters(),
                sessions::list,
                delivery::counters,
                delivery.operations()::undelivered,
                proof::state,
                proof::shipping,
                instruments,
                () -> live().use(),
                () ->
                    spans
                        .map(it -> new Metrics.SpanCounts(it.exported(), it.lost()))
                        .orElse(Metrics.SpanCounts.NONE)),
            database);
    tls = tlsAhead.get();
    alarms =
        new Alarms(
            new Alarms.Surroundings(
                vertx,
                database,
                audit,
                accounts,
                keys,
                tls.chain(),
                config.data(),
                config.node(),
                config.externalUrl(),
                config.alarms(),
                clock));
    live =
        new LiveFeed(
            new LiveFeed.Sources(
                database,
                sessions::list,
                delivery.operations(),
                systems,
                instruments.measuring(),
                instruments.archive(),
                instruments.status(),
                new AnnouncedAlarms(database, alarms.news(), clock),
                metrics::running,
                Api::alarmJson),
            new LiveFeed.Limits(
                config.telemetry().liveStreams(), config.telemetry().liveStreamsPerSession()),
            clock);
    alarmHints =
        new Hints(
            vertx,
            this::databaseAddress,
            AlarmTable.CHANNEL,
            alarms.news()::hint,
            alarms.news()::listening);
    front =
        new Front(
            frontSettings(),
            wiring(),
            tickers,
            new Doorkeeping(blocks, config.listen().trustedProxies()));
  }

  private static Duration longestToken(BrokerConfig config) {
    Duration people = config.access().tokenTtl();
    Duration machines = config.gateways().tokenTtl();
    return people.compareTo(machines) > 0 ? people : machines;
  }

  private EmbeddedPostgres embedded(Ahead<TlsIdentity> first) {
    first.get();
    return EmbeddedPostgres.start(data, "penstock");
  }

  /// Starts everything; the public port is served last.
  ///
  /// @param out gets the first start's JSON line
  static RunningBroker start(BrokerConfig config, PrintStream out) throws IOException {
    RunningBroker broker = wired(config);
    broker.agents.start();
    broker.delivery.start();
    broker.instruments.start();
    broker.live.start();
    broker.hints.start();
    broker.accessHints.start();
    broker.blocks.load();
    broker
        .agents
        .operations()
        .list()
        .forEach(agent -> broker.routing.seed(agent.site(), agent.id()));
    broker.startApi();
    var _ =
        broker.upkeep.scheduleAtFixedRate(
            () -> {
              step("writing roll-ups", broker.rollUps::flush);
              step("counting refusals", broker.accounts::writeCounts);
              step("noting used tokens", broker.serviceAccounts::writeUses);
            },
            FLUSH_SECONDS,
            FLUSH_SECONDS,
            TimeUnit.SECONDS);
    broker.startMetrics();
    Optional<Accounts.FirstAdmin> admin = broker.accounts.createFirstAdmin();
    broker.front.serve(broker.port);
    admin.ifPresent(first -> broker.showFirstStart(first, out));
    LOG.info("listening on port {} as {}", broker.port.number(), config.externalUrl());
    // What goes on in the background all the time begins once agents can come back.
    broker.rotation.start();
    broker.proof.start();
    broker.alarmHints.start();
    broker.alarms.start();
    broker.renewHeads();
    broker.watchSessions();
    broker.watchChanges();
    return broker;
  }

  private static RunningBroker wired(BrokerConfig config) throws IOException {
    Vertx vertx = Vertx.vertx(vertxOptions());
    MultiThreadIoEventLoopGroup loops = eventLoops();
    try {
      return new RunningBroker(config, vertx, loops);
    } catch (IOException | RuntimeException failure) {
      step("event loops", () -> close(loops));
      step("web server", () -> close(vertx));
      throw failure;
    }
  }

  /// No file is served, so there is nothing to lay out in a temporary directory.
  static VertxOptions vertxOptions() {
    return new VertxOptions()
        .setPreferNativeTransport(true)
        .setFileSystemOptions(
            new FileSystemOptions()
                .setFileCachingEnabled(false)
                .setClassPathResolvingEnabled(false));
  }

  private void renewHeads() {
    var _ =
        upkeep.scheduleAtFixedRate(
            () -> step("signing head manifests", systems::renewHeads),
            0,
            HEADS_SECONDS,
            TimeUnit.SECONDS);
  }

  private void watchChanges() {
    var _ =
        upkeep.scheduleAtFixedRate(
            () -> step("waiting changes", changes::upkeep),
            CHANGES_SECONDS,
            CHANGES_SECONDS,
            TimeUnit.SECONDS);
  }

  private void watchSessions() {
    var _ =
        upkeep.scheduleAtFixedRate(
            () -> {
              step("watching sessions", accounts.watches()::check);
              step("blocked addresses", blocks::load);
              step("silent gateways", gatewayService::sweep);
            },
            SESSIONS_SECONDS,
            SESSIONS_SECONDS,
            TimeUnit.SECONDS);
    var _ =
        upkeep.scheduleAtFixedRate(
            () -> step("dropping old sessions", accounts.signIns()::dropOld),
            1,
            DROP_MINUTES,
            TimeUnit.MINUTES);
    var _ =
        upkeep.scheduleAtFixedRate(
            () -> step("dropping old proofs", gateways::dropOld), 1, 1, TimeUnit.MINUTES);
  }

  private void startMetrics() {
    var _ =
        upkeep.scheduleAtFixedRate(
            () -> step("counting alarms", metrics::refresh), 0, ALARMS_SECONDS, TimeUnit.SECONDS);
    var address = new InetSocketAddress(config.metrics().host(), config.metrics().port());
    metricsServer = MetricsServer.start(address, metrics);
  }

  private Front front() {
    return front;
  }

  private LiveFeed live() {
    return live;
  }

  private NodeStatus.Traffic traffic() {
    List<LiveSession> all = sessions.list();
    return new NodeStatus.Traffic(
        all.size(),
        all.stream().mapToLong(LiveSession::outstanding).sum(),
        front().counters().open());
  }

  private Systems systems() {
    return systems;
  }

  private Delivery delivery() {
    return delivery;
  }

  /// Asked at every new connection: the embedded server may come back on another port.
  private DatabaseAddress databaseAddress() {
    return external.orElseGet(() -> embedded.orElseThrow().address());
  }

  private static MultiThreadIoEventLoopGroup eventLoops() {
    IoHandlerFactory io =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    int threads = Math.max(2, Runtime.getRuntime().availableProcessors());
    return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("broker-loop"), io);
  }

  private TunnelSettings tunnelSettings() {
    TunnelSettings defaults = TunnelSettings.DEFAULTS;
    return new TunnelSettings(
        config.tunnel().halfOpenTotal(),
        config.tunnel().halfOpenPerAddress(),
        defaults.tunnels(),
        config.tunnel().maxStreams(),
        config.tunnel().handshakeTimeout(),
        defaults.enrollmentFloor());
  }

  private FrontSettings frontSettings() {
    FrontSettings defaults = FrontSettings.DEFAULTS;
    return new FrontSettings(
        config.edge().maxConnections(),
        config.edge().maxConnections(),
        defaults.tlsHandshake(),
        config.edge().headTimeout(),
        defaults.keepAlive(),
        defaults.apiBodyBytes(),
        defaults.apiStall());
  }

  private Front.Wiring wiring() {
    SslContext context = tls.context();
    var edge =
        new InvocationEdge(
            new EdgeCallers(serviceAccounts),
            routing,
            InvocationGates.targets(),
            invocationLimit(),
            observer(),
            new EdgeSettings(deadlines(), config.edge().reconnectWait(), tracing()),
            System::nanoTime);
    return new Front.Wiring(
        () -> context,
        InvocationGates.requestDecoder(config.edge().headBytes()),
        tunnels,
        edge::newHandler,
        _ -> false,
        socket.path());
  }

  private InvocationObserver observer() {
    InvocationObserver always =
        rollUps.and(metrics.invocations()).and(alarms.invocations()).and(instruments.observer());
    return spans.map(always::and).orElse(always);
  }

  private Tracing tracing() {
    return spans.isEmpty() ? Tracing.OFF : new Tracing(true, config.telemetry().traceShare());
  }

  private RateLimit invocationLimit() {
    return config.access().invocationsPerCaller() == 0
        ? RateLimit.NONE
        : (caller, _, _) -> limits.ofInvoker(caller.name());
  }

  private Deadlines deadlines() {
    BrokerConfig.Edge edge = config.edge();
    return new Deadlines(
        (int) edge.connect().toMillis(),
        (int) edge.firstByte().toMillis(),
        (int) edge.idle().toMillis(),
        0);
  }

  private void startApi() {
    var backups = new Backups(database, keys, data, audit, random, clock);
    backups.removeLeftovers();
    var tokens =
        new EnrollmentTokens(
            database,
            audit,
            keys.enrollRoot(),
            () -> new Pin(keys.rootSha256(), config.externalUrl(), tls.caSha256()),
            random);
    var api =
        new Api(
            vertx,
            new Api.Features(
                database,
                accounts,
                oidc,
                serviceAccounts,
                limits,
                blocks,
                tokens,
                agents.operations(),
                gateways,
                gatewayService,
                delivery.operations(),
                systems,
                changes,
                rotation,
                audit,
                proof,
                alarms.operations(),
                backups,
                instruments,
                live,
                config.access().serviceTokenMaxTtl(),
                clock));
    api.listen(socket.path());
  }

  /// The one time that this password is shown.
  private void showFirstStart(Accounts.FirstAdmin admin, PrintStream out) {
    var line =
        new JsonObject()
            .put("url", config.externalUrl())
            .put("user", admin.email())
            .put("password", admin.password())
            .put("ca_file", tls.caFile().map(Path::toString).orElse(null));
    out.println(line.encode());
    out.flush();
  }

  /// New tunnels and new streams are refused, running ones finish within the drain time, what was
  /// counted is written, and everything stops.
  void drainAndStop() {
    LOG.info("draining for at most {} s", config.drain().toSeconds());
    tunnels.stopAccepting();
    front.stopAccepting();
    routing.stop();
    Duration spread = config.drain().compareTo(DRAIN_SPREAD) < 0 ? config.drain() : DRAIN_SPREAD;
    try {
      boolean done = sessions.drain(spread, config.drain());
      LOG.info(done ? "all streams are done" : "the drain time is over: running streams are cut");
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    sessions.closeAll(ErrorCode.SHUTDOWN, "the broker stops");
    step("gateways", gatewayService::close);
    upkeep.shutdown();
    step("live feed", live::close);
    rotation.close();
    step("invocation roll-ups", rollUps::flushAll);
    step("counts of refusals", accounts::writeCounts);
    step("used tokens", serviceAccounts::writeUses);
    step("times of calls", instruments::close);
    spans.ifPresent(it -> step("spans", it::close));
    metricsServer.ifPresent(server -> step("metrics server", server::close));
    step("metrics", metrics::close);
    step("hints about alarms", alarmHints::close);
    step("alarms", alarms::close);
    step("sign-in by a provider", () -> oidc.ifPresent(OidcSignIns::close));
    step("hints", hints::close);
    step("hints about rights", accessHints::close);
    step("delivery", delivery::close);
    step("agents", agents::close);
    step("tunnels", tunnels::close);
    step("event loops", () -> close(loops));
    // All that is ever written is written by now.
    step("audit trail", proof::close);
    step("database", database::close);
    step("web server", () -> close(vertx));
    embedded.ifPresent(postgres -> step("Postgres", postgres::close));
    socket.close();
    data.close();
    LOG.info("stopped");
  }

  private static void close(MultiThreadIoEventLoopGroup loops) {
    loops
        .shutdownGracefully(100, 1_000, TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(2, TimeUnit.SECONDS);
  }

  private static void close(Vertx vertx) {
    vertx.close().toCompletionStage().toCompletableFuture().orTimeout(2, TimeUnit.SECONDS).join();
  }

  /// One part that fails does not keep the others, or the next time, from it.
  private static void step(String part, Runnable stop) {
    try {
      stop.run();
    } catch (RuntimeException failure) {
      LOG.warn("{} failed", part, failure);
    }
  }
}
