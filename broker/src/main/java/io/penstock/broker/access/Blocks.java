package io.penstock.broker.access;

import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.config.Networks;
import io.penstock.broker.store.BlockTable;
import io.penstock.broker.store.BlockTable.Block;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.vertx.core.VertxException;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which addresses are let in: those of the configured list, if there is one, without those that an
/// Admin has blocked. [#admits] never blocks; the rest does.
public final class Blocks {
  private static final Logger LOG = LoggerFactory.getLogger(Blocks.class);
  private static final int MAX_BLOCKS = 1_000;

  private final Database database;
  private final BlockTable table = new BlockTable();
  private final Audit audit;
  private final AccessNews news;
  private final Networks allowed;
  private final Networks trustedProxies;
  private final Clock clock;
  private final AtomicBoolean loadIsDue = new AtomicBoolean();
  private volatile Loaded loaded = new Loaded(Map.of(), List.of());

  /// Whole addresses, found at once, and ranges, tried one by one.
  private record Loaded(Map<InetAddress, Instant> addresses, List<LoadedRange> ranges) {
    boolean holds(InetAddress address, Instant now) {
      Instant until = addresses.get(address);
      if (until != null && now.isBefore(until)) {
        return true;
      }
      for (LoadedRange range : ranges) {
        if (now.isBefore(range.until()) && range.network().hold(address)) {
          return true;
        }
      }
      return false;
    }
  }

  private record LoadedRange(Networks network, Instant until) {}

  /// @param allowed none = every address
  /// @param trustedProxies are never blocked: everybody behind them would be
  public Blocks(
      Database database,
      Audit audit,
      AccessNews news,
      Networks allowed,
      Networks trustedProxies,
      Clock clock) {
    this.database = database;
    this.audit = audit;
    this.news = news;
    this.allowed = allowed;
    this.trustedProxies = trustedProxies;
    this.clock = clock;
    news.listen(this::heard);
  }

  private void heard(News it) {
    boolean mine = it instanceof News.OfBlocks || it instanceof News.Anything;
    if (mine && loadIsDue.compareAndSet(false, true)) {
      Thread.ofVirtual().name("blocks").start(this::load);
    }
  }

  /// Reads the list anew; also called every few seconds, for the news that did not arrive.
  public void load() {
    loadIsDue.set(false);
    try {
      loaded = loaded(database.transaction(table::list));
    } catch (StoreUnavailableException | VertxException away) {
      // The latter while the broker stops.
      LOG.warn("the list of blocked addresses is kept as it was: {}", away.getMessage());
    }
  }

  private static Loaded loaded(List<Block> blocks) {
    var addresses = new HashMap<InetAddress, Instant>();
    var ranges = new java.util.ArrayList<LoadedRange>();
    for (Block block : blocks) {
      Instant until = block.expiresAt().orElse(Instant.MAX);
      Networks network = Networks.of(List.of(block.cidr()));
      network
          .singleAddress()
          .ifPresentOrElse(
              address -> addresses.put(address, until),
              () -> ranges.add(new LoadedRange(network, until)));
    }
    return new Loaded(Map.copyOf(addresses), List.copyOf(ranges));
  }

  public boolean isBlocked(InetAddress address) {
    Loaded now = loaded;
    boolean none = now.addresses().isEmpty() && now.ranges().isEmpty();
    return !none && now.holds(address, clock.instant());
  }

  /// Whether people and cloud services may call from there. Agents dial from anywhere.
  public boolean admits(InetAddress address) {
    return allowed.allow(address) && !isBlocked(address);
  }

  /// How an attempt to block ended.
  public sealed interface Outcome {
    record Done(Block block) implements Outcome {}

    record Malformed() implements Outcome {}

    record Taken() implements Outcome {}

    /// Whoever asked would lock themselves out.
    record OwnAddress() implements Outcome {}

    /// A trusted proxy would be in it, and with it everybody who comes through it.
    record TrustedProxy() implements Outcome {}

    record Full(int limit) implements Outcome {}
  }

  public List<Block> list() {
    Instant now = clock.instant();
    return database.transaction(table::list).stream()
        .filter(block -> block.expiresAt().map(now::isBefore).orElse(true))
        .toList();
  }

  public Outcome add(String cidr, String reason, Optional<Duration> duration, Actor by) {
    Networks network;
    try {
      network = Networks.of(List.of(cidr));
    } catch (IllegalArgumentException _) {
      return new Outcome.Malformed();
    }
    boolean own = by.origin().ip().map(ip -> network.hold(InetAddress.ofLiteral(ip))).orElse(false);
    if (own) {
      return new Outcome.OwnAddress();
    }
    if (network.overlap(trustedProxies)) {
      return new Outcome.TrustedProxy();
    }
    Instant now = clock.instant();
    var block = new Block(network.canonical(), reason, now, by.name(), duration.map(now::plus));
    return database.transaction(
        tx -> {
          table.dropExpired(tx, now);
          if (table.count(tx) >= MAX_BLOCKS) {
            return new Outcome.Full(MAX_BLOCKS);
          }
          if (!table.insert(tx, block)) {
            return new Outcome.Taken();
          }
          audit.record(
              tx,
              Accounts.event("block.create", by, block.cidr())
                  .changing(
                      Map.of(
                          "reason",
                          reason,
                          "expires_at",
                          block.expiresAt().map(Instant::toString).orElse("never"))));
          changed(tx);
          return new Outcome.Done(block);
        });
  }

  /// False when there is no such block.
  public boolean remove(String cidr, Actor by) {
    String canonical;
    try {
      canonical = Networks.of(List.of(cidr)).canonical();
    } catch (IllegalArgumentException _) {
      return false;
    }
    return database.transaction(
        tx -> {
          if (!table.delete(tx, canonical)) {
            return false;
          }
          audit.record(tx, Accounts.event("block.delete", by, canonical));
          changed(tx);
          return true;
        });
  }

  private void changed(io.penstock.broker.store.Tx tx) {
    news.tell(tx, new News.OfBlocks());
  }
}
