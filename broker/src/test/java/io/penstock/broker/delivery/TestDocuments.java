package io.penstock.broker.delivery;

import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.TestRows;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SigningKey;
import io.vertx.core.json.JsonObject;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
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

  private final Map<Map<String, HeadManifest.Entry>, String> signed = new ConcurrentHashMap<>();

  /// Said of every head.
  volatile @Nullable String unanswerable;

  /// How often that was said.
  final AtomicInteger refused = new AtomicInteger();

  /// How often a single document was asked for.
  final AtomicInteger asked = new AtomicInteger();

  /// Thrown once by whoever asks for a head.
  final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();

  /// Run once by whoever asks for a head, first.
  final AtomicReference<@Nullable Runnable> beforeNewest = new AtomicReference<>();

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
  public Optional<String> head(Tx tx, String agent, long generation) {
    return headOf(agent, listed(tx, agent).getOrDefault(agent, Map.of()));
  }

  private Optional<String> headOf(String agent, Map<String, HeadManifest.Entry> listed) {
    if (listed.isEmpty() || head != null) {
      return Optional.ofNullable(head);
    }
    return Optional.of(signed.computeIfAbsent(listed, systems -> sign(agent, systems)));
  }

  private static String sign(String agent, Map<String, HeadManifest.Entry> listed) {
    long sequence = listed.values().stream().mapToLong(HeadManifest.Entry::version).sum();
    return new HeadManifest(agent, 1, 1, sequence, 1_000, 1_000 + 86_400, new TreeMap<>(listed))
        .sign(KEY);
  }

  @Override
  public Map<Addressee, Newest> newest(Tx tx, Collection<Addressee> agents) {
    Runnable first = beforeNewest.getAndSet(null);
    if (first != null) {
      first.run();
    }
    RuntimeException thrown = failure.getAndSet(null);
    if (thrown != null) {
      throw thrown;
    }
    String why = unanswerable;
    if (why != null) {
      refused.incrementAndGet();
    }
    Map<String, Map<String, HeadManifest.Entry>> listed =
        listed(tx, agents.stream().map(Addressee::agent).toArray(String[]::new));
    var newest = new HashMap<Addressee, Newest>();
    for (Addressee one : agents) {
      Map<String, HeadManifest.Entry> systems = listed.getOrDefault(one.agent(), Map.of());
      newest.put(
          one,
          why != null
              ? new Newest.Unanswerable(why)
              : new Newest.Head(headOf(one.agent(), systems), systems));
    }
    return newest;
  }

  @Override
  public Map<Wanted, ConfigurationDocument> documents(
      Tx tx, Collection<Wanted> wanted, int maxBytes) {
    List<Wanted> all = List.copyOf(wanted);
    var documents = new HashMap<Wanted, ConfigurationDocument>();
    for (JsonObject row :
        TestRows.query(
            tx,
            "select w.place, d.settings from unnest($1::text[], $2::text[], $3::bigint[]) with"
                + " ordinality as w (agent, system, version, place) join test_documents d on"
                + " d.agent = w.agent and d.system = w.system and d.version = w.version where not"
                + " d.tombstone and length(d.settings) <= $4",
            all.stream().map(one -> one.agent().agent()).toArray(String[]::new),
            all.stream().map(Wanted::system).toArray(String[]::new),
            all.stream().map(Wanted::version).toArray(Long[]::new),
            maxBytes)) {
      Wanted one = all.get((int) (row.getLong("place") - 1));
      documents.put(one, documentOf(one.agent().agent(), one.system(), one.version(), row));
    }
    return documents;
  }

  // Out of a class file, NullAway takes an array that may be null for one that may hold nulls.
  @SuppressWarnings("NullAway")
  @Override
  public Optional<ConfigurationDocument> document(
      Tx tx, String agent, String system, long version) {
    asked.incrementAndGet();
    return TestRows.query(
            tx,
            "select settings from test_documents where agent = $1 and system = $2 and version = $3"
                + " and not tombstone",
            agent,
            system,
            version)
        .stream()
        .findFirst()
        .map(row -> documentOf(agent, system, version, row));
  }

  // As above.
  @SuppressWarnings("NullAway")
  private static ConfigurationDocument documentOf(
      String agent, String system, long version, JsonObject row) {
    return new ConfigurationDocument(
        header(agent, system, version), row.getBuffer("settings").getBytes(), null);
  }

  private static Map<String, Map<String, HeadManifest.Entry>> listed(Tx tx, String... agents) {
    var listed = new HashMap<String, Map<String, HeadManifest.Entry>>();
    for (JsonObject row :
        TestRows.query(
            tx,
            "select distinct on (agent, system) agent, system, version, tombstone from"
                + " test_documents where agent = any($1::text[]) order by agent, system, version"
                + " desc",
            (Object) agents)) {
      String agent = row.getString("agent");
      String system = row.getString("system");
      long version = row.getLong("version");
      listed
          .computeIfAbsent(agent, _ -> new TreeMap<>())
          .put(
              system,
              row.getBoolean("tombstone")
                  ? HeadManifest.Tombstone.at(version)
                  : new HeadManifest.Listed(version, hash(agent, system, version)));
    }
    return listed;
  }

  @Override
  public void superseded(Tx tx, List<Message> dropped) {
    // Versions have no states here.
  }

  @Override
  public void receipts(Tx tx, List<Told> receipts, Instant now) {
    TestRows.update(
        tx,
        "insert into test_receipts (agent, system, version, outcome) select * from"
            + " unnest($1::text[], $2::text[], $3::bigint[], $4::text[])",
        receipts.stream().map(told -> told.receipt().agent()).toArray(String[]::new),
        receipts.stream().map(told -> told.receipt().system()).toArray(String[]::new),
        receipts.stream().map(told -> told.receipt().version()).toArray(Long[]::new),
        receipts.stream()
            .map(told -> told.receipt().outcome().getClass().getSimpleName())
            .toArray(String[]::new));
  }

  @Override
  public boolean rewrapped(Tx tx, String agent, long generation, Rewrapped told) {
    throw new UnsupportedOperationException("these documents have no secrets");
  }
}
