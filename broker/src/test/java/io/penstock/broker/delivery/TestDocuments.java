package io.penstock.broker.delivery;

import io.penstock.broker.store.TestRows;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SigningKey;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Systems in tables of a test's own, on the same Postgres and in the same transactions as the
/// messages. Every version is listed as soon as it is stored.
final class TestDocuments implements Documents {
  static final String TABLES =
      """
      create table if not exists test_documents (agent text, system text, version bigint, settings bytea, tombstone boolean,
        primary key (agent, system, version));
      create table if not exists test_receipts (id bigint generated always as identity, agent text, system text,
        version bigint, outcome text)\
      """;
  private static final SigningKey KEY = SigningKey.generate(new SecureRandom());

  /// Said instead of a real head.
  volatile @Nullable String head;

  /// Said of every head.
  volatile @Nullable String unanswerable;

  /// How often that was said.
  final AtomicInteger refused = new AtomicInteger();

  /// Thrown once by whoever asks for a head.
  final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();

  /// The header's text stands for a signature: whoever knows the names knows it.
  static String header(String agent, String system, long version) {
    return "header of " + agent + "/" + system + "@" + version;
  }

  static Octets hash(String agent, String system, long version) {
    return ConfigurationHeader.hashOf(header(agent, system, version));
  }

  void store(Tx tx, String agent, String system, long version, byte[] settings) {
    TestRows.update(
        tx,
        "insert into test_documents values ($1, $2, $3, $4, false)",
        agent,
        system,
        version,
        settings);
  }

  void remove(Tx tx, String agent, String system, long version) {
    TestRows.update(
        tx,
        "insert into test_documents values ($1, $2, $3, $4, true)",
        agent,
        system,
        version,
        new byte[0]);
  }

  @Override
  public Optional<String> head(Tx tx, String agent) {
    List<Listed> listed = listed(tx, agent);
    if (listed.isEmpty() || head != null) {
      return Optional.ofNullable(head);
    }
    var entries = new TreeMap<String, HeadManifest.Entry>();
    listed.forEach(
        one ->
            entries.put(
                one.system(),
                one.tombstone()
                    ? HeadManifest.Tombstone.at(one.version())
                    : new HeadManifest.Listed(one.version(), one.headerSha256())));
    long sequence = listed.stream().mapToLong(Listed::version).sum();
    return Optional.of(
        new HeadManifest(agent, 1, 1, sequence, 1_000, 1_000 + 86_400, entries).sign(KEY));
  }

  @Override
  public Map<Addressee, Newest> newest(Tx tx, Collection<Addressee> agents) {
    RuntimeException thrown = failure.getAndSet(null);
    if (thrown != null) {
      throw thrown;
    }
    String why = unanswerable;
    if (why != null) {
      refused.incrementAndGet();
    }
    var newest = new HashMap<Addressee, Newest>();
    agents.forEach(
        one ->
            newest.put(
                one,
                why != null
                    ? new Newest.Unanswerable(why)
                    : new Newest.Head(head(tx, one.agent()), listed(tx, one.agent()))));
    return newest;
  }

  @Override
  public Map<Wanted, ConfigurationDocument> documents(
      Tx tx, Collection<Wanted> wanted, int maxBytes) {
    var documents = new HashMap<Wanted, ConfigurationDocument>();
    for (Wanted one : wanted) {
      document(tx, one.agent().agent(), one.system(), one.version())
          .filter(document -> document.settings().length <= maxBytes)
          .ifPresent(document -> documents.put(one, document));
    }
    return documents;
  }

  // Out of a class file, NullAway takes an array that may be null for one that may hold nulls.
  @SuppressWarnings("NullAway")
  @Override
  public Optional<ConfigurationDocument> document(
      Tx tx, String agent, String system, long version) {
    return TestRows.query(
            tx,
            "select settings from test_documents where agent = $1 and system = $2 and version = $3"
                + " and not tombstone",
            agent,
            system,
            version)
        .stream()
        .findFirst()
        .map(
            row ->
                new ConfigurationDocument(
                    header(agent, system, version), row.getBuffer("settings").getBytes(), null));
  }

  private static List<Listed> listed(Tx tx, String agent) {
    return TestRows.query(
            tx,
            "select distinct on (system) system, version, tombstone from test_documents where agent"
                + " = $1 order by system, version desc",
            agent)
        .stream()
        .map(
            row -> {
              String system = row.getString("system");
              long version = row.getLong("version");
              boolean tombstone = row.getBoolean("tombstone");
              return new Listed(
                  system,
                  version,
                  tombstone ? ConfigurationHeader.NOTHING_BEFORE : hash(agent, system, version),
                  tombstone);
            })
        .toList();
  }

  @Override
  public void receipts(Tx tx, List<Told> receipts, Instant now) {
    receipts.forEach(
        told ->
            TestRows.update(
                tx,
                "insert into test_receipts (agent, system, version, outcome) values ($1, $2, $3,"
                    + " $4)",
                told.receipt().agent(),
                told.receipt().system(),
                told.receipt().version(),
                told.receipt().outcome().getClass().getSimpleName()));
  }
}
