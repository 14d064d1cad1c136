package io.penstock.broker.alarms;

import io.penstock.broker.alarms.Channel.Outcome;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AlarmNoticeTable;
import io.penstock.broker.store.AlarmNoticeTable.Notice;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings one channel its notices, oldest first, on a thread of its own: a channel that hangs or
/// fails makes only itself wait. A notice is gone from the table once it has arrived; what fails is
/// tried again, later and later, by whichever node is there then, and given up after
/// [#MAX_ATTEMPTS].
final class Courier implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Courier.class);

  /// Some eight hours.
  static final int MAX_ATTEMPTS = 100;

  /// From here on the channel's silence is an alarm itself.
  static final int STUCK_ATTEMPTS = 5;

  private static final int URGENT_ATTEMPTS = 5;
  private static final int MAX_URGENT = 10;
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  /// Longer than any attempt.
  private static final Duration LEASE = Duration.ofSeconds(60);

  private static final Duration IDLE = Duration.ofSeconds(5);
  private static final Duration CLOSE = Duration.ofSeconds(1);

  private final Channel channel;
  private final Database database;
  private final Audit audit;
  private final Clock clock;
  private final AlarmNoticeTable table = new AlarmNoticeTable();
  private final ArrayBlockingQueue<Urgent> urgent = new ArrayBlockingQueue<>(MAX_URGENT);
  private final Semaphore wake = new Semaphore(0);
  private volatile boolean closing;
  private volatile @Nullable Thread thread;

  private record Urgent(String id, JsonObject body, int attempts) {
    Urgent again() {
      return new Urgent(id, body, attempts + 1);
    }
  }

  Courier(Channel channel, Database database, Audit audit, Clock clock) {
    this.channel = channel;
    this.database = database;
    this.audit = audit;
    this.clock = clock;
  }

  String channel() {
    return channel.name();
  }

  boolean wants(Severity severity) {
    return channel.wants(severity);
  }

  void start() {
    thread = Thread.ofVirtual().name("alarms-" + channel.name()).start(this::work);
  }

  /// There is something to bring.
  void wake() {
    wake.release();
  }

  /// For what cannot wait in Postgres; tried a few times, forgotten beyond a few of them.
  void tell(JsonObject body) {
    if (!urgent.offer(new Urgent(UUID.randomUUID().toString(), body, 1))) {
      LOG.error("{}: an urgent notice is dropped, {} wait", channel.name(), MAX_URGENT);
    }
    wake();
  }

  private void work() {
    try {
      while (!closing) {
        Duration pause = step();
        if (!pause.isZero()) {
          var _ = wake.tryAcquire(pause.toNanos(), TimeUnit.NANOSECONDS);
          var _ = wake.drainPermits();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// One notice.
  ///
  /// @return how long nothing has to be done
  private Duration step() {
    try {
      Urgent first = urgent.poll();
      return first == null ? bring() : tellNow(first);
    } catch (StoreUnavailableException away) {
      LOG.debug("{} waits for the database: {}", channel.name(), away.getMessage());
    } catch (RuntimeException failed) {
      if (!closing) {
        LOG.error("{}: bringing notices failed", channel.name(), failed);
      }
    }
    return IDLE;
  }

  private Duration tellNow(Urgent notice) {
    return switch (channel.send(notice.id(), notice.body())) {
      case Outcome.Arrived() -> Duration.ZERO;
      case Outcome.Failed(String why) -> {
        LOG.warn("{}: an urgent notice did not arrive: {}", channel.name(), why);
        boolean again = notice.attempts() < URGENT_ATTEMPTS && urgent.offer(notice.again());
        yield again ? pauseAfter(notice.attempts()) : Duration.ZERO;
      }
    };
  }

  /// What waits in the table.
  private Duration bring() {
    var claimed =
        database.transaction(tx -> table.claim(tx, channel.name(), clock.instant(), LEASE));
    if (claimed.isEmpty()) {
      return IDLE;
    }
    Notice notice = claimed.get();
    return switch (channel.send(Long.toString(notice.id()), notice.body())) {
      case Outcome.Arrived() -> {
        database.run(tx -> table.done(tx, notice.id()));
        yield Duration.ZERO;
      }
      case Outcome.Failed(String why) -> failed(notice, why);
    };
  }

  private Duration failed(Notice notice, String why) {
    if (notice.attempts() >= MAX_ATTEMPTS) {
      LOG.error(
          "{}: a notice is given up after {} attempts: {}", channel.name(), notice.attempts(), why);
      database.run(
          tx -> {
            table.done(tx, notice.id());
            audit.record(
                tx,
                AuditEvent.of("alarm.notice", "failure")
                    .on(channel.name())
                    .because(why)
                    .changing(Map.of("attempts", notice.attempts())));
          });
      return Duration.ZERO;
    }
    LOG.warn("{}: attempt {} failed: {}", channel.name(), notice.attempts(), why);
    Duration pause = pauseAfter(notice.attempts());
    database.run(tx -> table.failed(tx, notice.id(), clock.instant().plus(pause), why));
    return pause;
  }

  /// 1 s, 2 s, 4 s, at most 5 min.
  static Duration pauseAfter(int attempts) {
    Duration doubled = FIRST_PAUSE.multipliedBy(1L << Math.min(attempts - 1, 20));
    return doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
  }

  /// What is under way gets a moment; what does not arrive in it is brought by the next start.
  @Override
  public void close() {
    closing = true;
    wake();
    Thread running = thread;
    if (running != null) {
      try {
        if (!running.join(CLOSE)) {
          running.interrupt();
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
    channel.close();
  }
}
