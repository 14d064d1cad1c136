package io.penstock.broker.alarms;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.alarms.AlarmNews.News;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmKind.About;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Wires everything about alarms of one broker node. Looks and announcements take turns on one
/// thread; every channel has one of its own.
public final class Alarms implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Alarms.class);
  private static final int LOOK_SECONDS = 10;

  private final AlarmNews news = new AlarmNews();
  private final LatencyCounts counts;
  private final List<Courier> couriers;
  private final Announcer announcer;
  private final Evaluator evaluator;
  private final AlarmDesk desk;
  private final Surroundings around;
  private final AtomicBoolean announcementIsDue = new AtomicBoolean();

  // News that come after its end are nobody's any more.
  private final ScheduledExecutorService turns =
      new ScheduledThreadPoolExecutor(
          1,
          Thread.ofPlatform().daemon().name("alarms").factory(),
          new ThreadPoolExecutor.DiscardPolicy());

  /// What comes from elsewhere.
  ///
  /// @param certificates that the public port shows
  /// @param data directory whose disk is looked at
  /// @param node name of this node
  /// @param url of the broker, for people
  public record Surroundings(
      Vertx vertx,
      Database database,
      Audit audit,
      Accounts accounts,
      BrokerKeys keys,
      List<X509Certificate> certificates,
      Path data,
      String node,
      String url,
      AlarmSettings settings,
      Clock clock) {}

  /// Reads the secrets of the channels: throws a `ConfigException` where one cannot be used.
  public Alarms(Surroundings around) {
    this.around = around;
    AlarmSettings settings = around.settings();
    this.counts = new LatencyCounts(settings.latency().objective());
    this.couriers =
        channels(around).stream()
            .map(it -> new Courier(it, around.database(), around.audit(), around.clock()))
            .toList();
    this.announcer =
        new Announcer(around.database(), around.audit(), couriers, around.url(), around.clock());
    var watch = new DatabaseWatch(settings.databaseAfter(), System::nanoTime);
    this.evaluator =
        new Evaluator(
            new Evaluator.Parts(
                around.database(),
                around.node(),
                subject(),
                new NodeCauses(node(around), watch),
                watch,
                new AgentCauses(settings),
                new SignInCauses(settings.signIns()),
                new LatencyCauses(settings.latency()),
                counts,
                couriers.stream().map(Courier::channel).toList(),
                settings.offlineAfter(),
                settings.clearAfter(),
                this::databaseIsAway,
                around.clock(),
                System::nanoTime));
    this.desk =
        new AlarmDesk(
            around.database(),
            around.accounts(),
            around.audit(),
            evaluator::lookedAt,
            around.clock());
    news.listen(this::heard);
  }

  private static List<Channel> channels(Surroundings around) {
    var channels = new ArrayList<Channel>();
    around
        .settings()
        .webhooks()
        .forEach(it -> channels.add(new WebhookChannel(it, around.clock())));
    around.settings().mail().ifPresent(it -> channels.add(new MailChannel(around.vertx(), it)));
    return channels;
  }

  private NodeCauses.Node node(Surroundings around) {
    AlarmSettings settings = around.settings();
    return new NodeCauses.Node(
        subject(),
        around::certificates,
        () -> around.keys().ownKeyset().expiresEpochSeconds(),
        around.data(),
        settings.certificateDays(),
        settings.diskFree());
  }

  private String subject() {
    return About.NODE.subject(around.node());
  }

  /// That alarms came, changed or went.
  public AlarmNews news() {
    return news;
  }

  /// Has to hear of every invocation.
  public InvocationObserver invocations() {
    return counts;
  }

  public AlarmOperations operations() {
    return desk;
  }

  public void start() {
    couriers.forEach(Courier::start);
    var _ = turns.scheduleWithFixedDelay(this::turn, 0, LOOK_SECONDS, TimeUnit.SECONDS);
  }

  private void turn() {
    attempt("looking for causes of alarms", evaluator::look);
    attempt("announcing alarms", announcer::announce);
  }

  /// What only came again is no news for people. Called on an event loop.
  private void heard(News it) {
    switch (it) {
      case News.Raised _, News.Cleared _, News.Anything _ -> announceSoon();
      case News.Changed _ -> {}
    }
  }

  /// News come in crowds.
  private void announceSoon() {
    if (announcementIsDue.compareAndSet(false, true)) {
      turns.execute(
          () -> {
            announcementIsDue.set(false);
            attempt("announcing alarms", announcer::announce);
          });
    }
  }

  private static void attempt(String what, Runnable work) {
    try {
      work.run();
    } catch (StoreUnavailableException away) {
      LOG.debug("{} waits for the database: {}", what, away.getMessage());
    } catch (RuntimeException failed) {
      LOG.error("{} failed; it is tried again", what, failed);
    }
  }

  /// No table takes the alarm now: it goes out at once.
  private void databaseIsAway(Duration since) {
    String message =
        "Postgres has not answered, or taken no writes, for " + since.toSeconds() + " s";
    LOG.error("{}", message);
    var body =
        NoticeBody.urgent(
            around.url(), AlarmKind.DATABASE_AWAY, subject(), message, around.clock().instant());
    couriers.stream()
        .filter(it -> it.wants(AlarmKind.DATABASE_AWAY.severity()))
        .forEach(it -> it.tell(body));
  }

  @Override
  public void close() {
    turns.shutdownNow();
    couriers.forEach(Courier::close);
  }
}
