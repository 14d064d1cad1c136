package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.SystemVersion.State;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// Systems, their versions and heads, whole rows at a time under their MACs: what is
/// written gets one, and reading a row whose MAC does not hold throws [TamperedRowException].
///
/// Locks are taken in this order: the agent, its messages, the receipt, the system, the head. A
/// receipt begins with its message, so a deployment must not hold the system while it waits for
/// one.
public final class SystemTable {
  private static final String SYSTEMS = "systems";
  private static final String VERSIONS = "system_versions";
  private static final String HEADS = "heads";

  private static final String SELECT_SYSTEM =
      """
      select agent, system, plugin, version, deployed_version, deployed_generation, applied_version,
             removed_version, updated_by, updated_at, row_version, mac
      from systems
      """;
  private static final String VERSION_COLUMNS =
      """
      agent, system, version, generation, plugin, state, header_jws, header_sha256, sealed_sha256,
      agent_recipient, secret_names, author, created_at, row_version, mac
      """;
  private static final String SELECT_HEAD =
      """
      select agent, generation, incarnation, sequence, applied_sequence, jws, issued_at, expires_at,
             row_version, mac
      from heads
      """;

  private final RowMac mac;

  public SystemTable(RowMac mac) {
    this.mac = mac;
  }

  // Systems.

  public Optional<SystemRow> find(Tx tx, String agent, String system) {
    return tx.one(SELECT_SYSTEM + " where agent = $1 and system = $2", agent, system)
        .map(this::system);
  }

  public Optional<SystemRow> lock(Tx tx, String agent, String system) {
    return tx.one(SELECT_SYSTEM + " where agent = $1 and system = $2 for update", agent, system)
        .map(this::system);
  }

  /// Names a system.
  public record SystemKey(String agent, String system) implements Comparable<SystemKey> {
    @Override
    public int compareTo(SystemKey other) {
      int byAgent = agent.compareTo(other.agent);
      return byAgent != 0 ? byAgent : system.compareTo(other.system);
    }
  }

  /// Names a version.
  public record VersionKey(String agent, String system, long version) {
    public SystemKey of() {
      return new SystemKey(agent, system);
    }
  }

  public List<SystemRow> find(Tx tx, List<SystemKey> keys) {
    return systems(tx, keys, "");
  }

  /// Locked in the order of their names, so that two of such calls never wait for each other in a
  /// circle.
  public List<SystemRow> lock(Tx tx, List<SystemKey> keys) {
    return systems(tx, keys, " order by agent, system for update");
  }

  private List<SystemRow> systems(Tx tx, List<SystemKey> keys, String how) {
    return stream(
            tx.query(
                SELECT_SYSTEM
                    + " where (agent, system) in (select * from unnest($1::text[], $2::text[]))"
                    + how,
                keys.stream().map(SystemKey::agent).toArray(String[]::new),
                keys.stream().map(SystemKey::system).toArray(String[]::new)))
        .map(this::system)
        .toList();
  }

  /// By name.
  public List<SystemRow> list(Tx tx, String agent) {
    return stream(tx.query(SELECT_SYSTEM + " where agent = $1 order by system", agent))
        .map(this::system)
        .toList();
  }

  public void insert(Tx tx, SystemRow row) {
    tx.update(
        """
        insert into systems (agent, system, plugin, version, deployed_version, deployed_generation,
          applied_version, removed_version, updated_by, updated_at, row_version, mac)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        values(row));
  }

  /// Notes what was applied, of many systems at once. Answers those that nobody has changed since
  /// they were read; the others are as they were.
  public Set<SystemKey> updateApplied(Tx tx, List<SystemRow> rows) {
    return stream(
            tx.query(
                """
                update systems as s set applied_version = n.applied_version, row_version = n.row_version, mac = n.mac
                from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])
                  as n (agent, system, applied_version, row_version, mac)
                where s.agent = n.agent and s.system = n.system and s.row_version = n.row_version - 1
                returning s.agent, s.system
                """,
                rows.stream().map(SystemRow::agent).toArray(String[]::new),
                rows.stream().map(SystemRow::system).toArray(String[]::new),
                rows.stream().map(SystemRow::appliedVersion).toArray(Long[]::new),
                rows.stream().map(SystemRow::rowVersion).toArray(Long[]::new),
                Values.octets(rows, row -> mac.of(SYSTEMS, row.granting()))))
        .map(row -> new SystemKey(Values.text(row, "agent"), Values.text(row, "system")))
        .collect(Collectors.toUnmodifiableSet());
  }

  public void update(Tx tx, SystemRow row) {
    tx.update(
        """
        update systems set plugin = $3, version = $4, deployed_version = $5,
          deployed_generation = $6, applied_version = $7, removed_version = $8, updated_by = $9,
          updated_at = $10, row_version = $11, mac = $12
        where agent = $1 and system = $2
        """,
        values(row));
  }

  private Object[] values(SystemRow row) {
    return new Object[] {
      row.agent(),
      row.system(),
      row.plugin(),
      row.version(),
      row.deployedVersion(),
      row.deployedGeneration(),
      row.appliedVersion(),
      row.removedVersion(),
      row.updatedBy(),
      row.updatedAt(),
      row.rowVersion(),
      mac.of(SYSTEMS, row.granting())
    };
  }

  /// Whether the agent has yet to apply something that its head lists for `generation`.
  public boolean anyUnapplied(Tx tx, String agent, long generation) {
    return tx.one(
            """
            select 1 as found from systems
            where agent = $1 and deployed_generation = $2 and deployed_version <> applied_version
            limit 1
            """,
            agent,
            generation)
        .isPresent();
  }

  /// Those of `agents` that have yet to apply something of this generation.
  public Set<String> unapplied(Tx tx, List<HeadRow> heads) {
    return stream(
            tx.query(
                """
                select h.agent from unnest($1::text[], $2::bigint[]) as h (agent, generation)
                where exists (select 1 from systems s where s.agent = h.agent
                  and s.deployed_generation = h.generation
                  and s.deployed_version <> s.applied_version)
                """,
                heads.stream().map(HeadRow::agent).toArray(String[]::new),
                heads.stream().map(HeadRow::generation).toArray(Long[]::new)))
        .map(row -> Values.text(row, "agent"))
        .collect(Collectors.toUnmodifiableSet());
  }

  // Versions.

  public List<SystemVersion> versions(Tx tx, Collection<VersionKey> keys) {
    return stream(
            tx.query(
                "select "
                    + VERSION_COLUMNS
                    + " from system_versions where (agent, system, version) in"
                    + " (select * from unnest($1::text[], $2::text[], $3::bigint[]))",
                keys.stream().map(VersionKey::agent).toArray(String[]::new),
                keys.stream().map(VersionKey::system).toArray(String[]::new),
                keys.stream().map(VersionKey::version).toArray(Long[]::new)))
        .map(this::version)
        .toList();
  }

  /// Contents of at most `maxBytes`; larger ones, and those that were changed since `versions` were
  /// read, are not in the answer.
  public Map<VersionKey, Content> contents(
      Tx tx, Collection<SystemVersion> versions, int maxBytes) {
    var contents = new HashMap<VersionKey, Content>();
    Map<VersionKey, SystemVersion> wanted =
        versions.stream()
            .collect(
                Collectors.toMap(
                    row -> new VersionKey(row.agent(), row.system(), row.version()),
                    Function.identity()));
    List<VersionKey> keys = List.copyOf(wanted.keySet());
    tx.query(
            """
            select agent, system, version, row_version, settings, sealed from system_versions
            where (agent, system, version) in (select * from unnest($1::text[], $2::text[], $3::bigint[]))
              and length(settings) + coalesce(length(sealed), 0) <= $4
            """,
            keys.stream().map(VersionKey::agent).toArray(String[]::new),
            keys.stream().map(VersionKey::system).toArray(String[]::new),
            keys.stream().map(VersionKey::version).toArray(Long[]::new),
            maxBytes)
        .forEach(
            row -> {
              var key =
                  new VersionKey(
                      Values.text(row, "agent"),
                      Values.text(row, "system"),
                      Values.number(row, "version"));
              SystemVersion version = wanted.get(key);
              if (version != null && isOf(row, version)) {
                contents.put(key, content(row, version));
              }
            });
    return contents;
  }

  /// All at once, to the states of `next`.
  public void changeStates(Tx tx, List<SystemVersion> next) {
    tx.update(
        """
        update system_versions as v set state = n.state, row_version = n.row_version, mac = n.mac
        from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[])
          as n (agent, system, version, state, row_version, mac)
        where v.agent = n.agent and v.system = n.system and v.version = n.version
        """,
        next.stream().map(SystemVersion::agent).toArray(String[]::new),
        next.stream().map(SystemVersion::system).toArray(String[]::new),
        next.stream().map(SystemVersion::version).toArray(Long[]::new),
        next.stream().map(row -> Stored.text(row.state())).toArray(String[]::new),
        next.stream().map(SystemVersion::rowVersion).toArray(Long[]::new),
        Values.octets(next, row -> mac.of(VERSIONS, row.granting())));
  }

  /// What a version carries.
  ///
  /// @param wrappedSettings under the KEK
  /// @param sealed the secrets' JSON as the agent gets it
  public record Content(byte[] wrappedSettings, Optional<byte[]> sealed) {
    @Override
    public String toString() {
      return "Content[" + wrappedSettings.length + " bytes of settings]";
    }
  }

  public Optional<SystemVersion> version(Tx tx, String agent, String system, long version) {
    return tx.one(
            "select "
                + VERSION_COLUMNS
                + " from system_versions where agent = $1 and system = $2 and version = $3",
            agent,
            system,
            version)
        .map(this::version);
  }

  /// The document of the highest number.
  public Optional<SystemVersion> newest(Tx tx, String agent, String system) {
    return tx.one(
            "select "
                + VERSION_COLUMNS
                + " from system_versions where agent = $1 and system = $2"
                + " order by version desc limit 1",
            agent,
            system)
        .map(this::version);
  }

  /// Newest first, below `before`.
  public List<SystemVersion> versions(Tx tx, String agent, String system, long before, int limit) {
    return stream(
            tx.query(
                "select "
                    + VERSION_COLUMNS
                    + " from system_versions where agent = $1 and system = $2 and version < $3"
                    + " order by version desc limit $4",
                agent,
                system,
                before,
                limit))
        .map(this::version)
        .toList();
  }

  /// The newest document of each system, by name.
  public List<SystemVersion> newestOfEach(Tx tx, String agent) {
    return stream(
            tx.query(
                "select distinct on (system) "
                    + VERSION_COLUMNS
                    + " from system_versions where agent = $1 order by system, version desc",
                agent))
        .map(this::version)
        .toList();
  }

  /// Throws [TamperedRowException] when the sealed bytes are not the ones of the row's hash; what
  /// the settings are worth shows when they are unwrapped.
  public Content content(Tx tx, SystemVersion version) {
    Row row =
        tx.one(
                """
                select row_version, settings, sealed from system_versions
                where agent = $1 and system = $2 and version = $3
                """,
                version.agent(),
                version.system(),
                version.version())
            .orElseThrow();
    // Another transaction may have changed the row since `version` was read.
    SystemVersion present =
        isOf(row, version)
            ? version
            : version(tx, version.agent(), version.system(), version.version()).orElseThrow();
    return content(row, present);
  }

  private static boolean isOf(Row row, SystemVersion version) {
    return Values.number(row, "row_version") == version.rowVersion();
  }

  private static Content content(Row row, SystemVersion version) {
    Optional<Octets> sealed = Values.optionalOctets(row, "sealed");
    if (!sealed.map(octets -> Octets.sha256(octets.bytes())).equals(version.sealedSha256())) {
      throw new TamperedRowException(
          version.agent(), "the sealed secrets of " + named(version) + " are not what was stored");
    }
    return new Content(Values.octets(row, "settings").bytes(), sealed.map(Octets::bytes));
  }

  public void insert(Tx tx, SystemVersion row, Content content) {
    tx.update(
        """
        insert into system_versions (agent, system, version, generation, plugin, state, header_jws,
          header_sha256, settings, sealed, sealed_sha256, secret_names, author, created_at,
          row_version, mac, agent_recipient)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        """,
        row.agent(),
        row.system(),
        row.version(),
        row.generation(),
        row.plugin(),
        row.state(),
        row.headerJws(),
        row.headerSha256(),
        content.wrappedSettings(),
        content.sealed(),
        row.sealedSha256(),
        row.secretNames(),
        row.author(),
        row.createdAt(),
        row.rowVersion(),
        mac.of(VERSIONS, row.granting()),
        row.agentRecipient());
  }

  public void changeState(Tx tx, SystemVersion row, State next) {
    SystemVersion changed = row.with(next);
    tx.update(
        """
        update system_versions set state = $4, row_version = $5, mac = $6
        where agent = $1 and system = $2 and version = $3
        """,
        row.agent(),
        row.system(),
        row.version(),
        next,
        changed.rowVersion(),
        mac.of(VERSIONS, changed.granting()));
  }

  /// Other wraps of the same secrets, the agent's own to `recipient`.
  public void replaceSealed(Tx tx, SystemVersion row, byte[] sealedJson, Octets recipient) {
    SystemVersion changed = row.withSealed(Octets.sha256(sealedJson), recipient);
    tx.update(
        """
        update system_versions set sealed = $4, sealed_sha256 = $5, row_version = $6, mac = $7,
          agent_recipient = $8
        where agent = $1 and system = $2 and version = $3
        """,
        row.agent(),
        row.system(),
        row.version(),
        Octets.of(sealedJson),
        changed.sealedSha256(),
        changed.rowVersion(),
        mac.of(VERSIONS, changed.granting()),
        recipient);
  }

  // Heads.

  public Optional<HeadRow> head(Tx tx, String agent) {
    return tx.one(SELECT_HEAD + " where agent = $1", agent).map(this::head);
  }

  public List<HeadRow> heads(Tx tx, Collection<String> agents) {
    return stream(
            tx.query(
                SELECT_HEAD + " where agent = any($1::text[])",
                (Object) agents.toArray(String[]::new)))
        .map(this::head)
        .toList();
  }

  /// In the order of their names.
  public List<HeadRow> lockHeads(Tx tx, Collection<String> agents) {
    return stream(
            tx.query(
                SELECT_HEAD + " where agent = any($1::text[]) order by agent for update",
                (Object) agents.toArray(String[]::new)))
        .map(this::head)
        .toList();
  }

  /// Notes that everything they list is applied. Answers the agents whose head nobody has changed
  /// since it was read; the others are as they were.
  public Set<String> updateApplied(Tx tx, Collection<HeadRow> heads) {
    List<HeadRow> rows = List.copyOf(heads);
    return stream(
            tx.query(
                """
                update heads as h set applied_sequence = n.applied_sequence, row_version = n.row_version, mac = n.mac
                from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[]) as n (agent, applied_sequence, row_version, mac)
                where h.agent = n.agent and h.row_version = n.row_version - 1
                returning h.agent
                """,
                rows.stream().map(HeadRow::agent).toArray(String[]::new),
                rows.stream().map(HeadRow::appliedSequence).toArray(Long[]::new),
                rows.stream().map(HeadRow::rowVersion).toArray(Long[]::new),
                Values.octets(rows, row -> mac.of(HEADS, row.granting()))))
        .map(row -> Values.text(row, "agent"))
        .collect(Collectors.toUnmodifiableSet());
  }

  public Optional<HeadRow> lockHead(Tx tx, String agent) {
    return tx.one(SELECT_HEAD + " where agent = $1 for update", agent).map(this::head);
  }

  /// How far an agent is, for lists.
  public record HeadCounters(String agent, long sequence, long appliedSequence) {}

  /// Systems of which a message went to the agent and no receipt has come.
  public Set<String> underWay(Tx tx, String agent) {
    return stream(
            tx.query(
                "select system from messages where agent = $1 and kind <> 'instruction'"
                    + " and sent_at is not null",
                agent))
        .map(row -> Values.text(row, "system"))
        .collect(Collectors.toUnmodifiableSet());
  }

  /// Of all agents. Numbers to look at, so nothing is verified and no manifest is read.
  public List<HeadCounters> headCounters(Tx tx) {
    return stream(tx.query("select agent, sequence, applied_sequence from heads"))
        .map(
            row ->
                new HeadCounters(
                    Values.text(row, "agent"),
                    Values.number(row, "sequence"),
                    Values.number(row, "applied_sequence")))
        .toList();
  }

  /// Agents whose head was signed at `until` or before, by name after `after`, at most `limit`.
  /// Only heads of an approved generation count: the others have nobody who would hear them.
  public List<String> headsDue(Tx tx, Instant until, String after, int limit) {
    return stream(
            tx.query(
                """
                select h.agent from heads h join agents a
                  on a.name = h.agent and a.generation = h.generation and a.state = 'approved'
                where h.issued_at <= $1 and h.agent > $2 order by h.agent limit $3
                """,
                until,
                after,
                limit))
        .map(row -> Values.text(row, "agent"))
        .toList();
  }

  public void insert(Tx tx, HeadRow row) {
    tx.update(
        """
        insert into heads (agent, generation, incarnation, sequence, applied_sequence, jws,
          issued_at, expires_at, row_version, mac)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        values(row));
  }

  public void update(Tx tx, HeadRow row) {
    tx.update(
        """
        update heads set generation = $2, incarnation = $3, sequence = $4, applied_sequence = $5,
          jws = $6, issued_at = $7, expires_at = $8, row_version = $9, mac = $10
        where agent = $1
        """,
        values(row));
  }

  private Object[] values(HeadRow row) {
    return new Object[] {
      row.agent(),
      row.generation(),
      row.incarnation(),
      row.sequence(),
      row.appliedSequence(),
      row.jws(),
      row.issuedAt(),
      row.expiresAt(),
      row.rowVersion(),
      mac.of(HEADS, row.granting())
    };
  }

  // Rows.

  private SystemRow system(Row row) {
    var system =
        new SystemRow(
            Values.text(row, "agent"),
            Values.text(row, "system"),
            Values.text(row, "plugin"),
            Values.number(row, "version"),
            Values.number(row, "deployed_version"),
            Values.number(row, "deployed_generation"),
            Values.number(row, "applied_version"),
            Values.number(row, "removed_version"),
            Values.text(row, "updated_by"),
            Values.instant(row, "updated_at"),
            Values.number(row, "row_version"));
    require(row, SYSTEMS, system.granting(), system.agent(), "system " + system.system());
    return system;
  }

  private SystemVersion version(Row row) {
    var version =
        new SystemVersion(
            Values.text(row, "agent"),
            Values.text(row, "system"),
            Values.number(row, "version"),
            Values.number(row, "generation"),
            Values.text(row, "plugin"),
            Values.constant(row, "state", State.class),
            Values.text(row, "header_jws"),
            Values.octets(row, "header_sha256"),
            Values.optionalOctets(row, "sealed_sha256"),
            Values.optionalOctets(row, "agent_recipient"),
            Values.list(row, "secret_names"),
            Values.text(row, "author"),
            Values.instant(row, "created_at"),
            Values.number(row, "row_version"));
    require(row, VERSIONS, version.granting(), version.agent(), named(version));
    return version;
  }

  private HeadRow head(Row row) {
    var head =
        new HeadRow(
            Values.text(row, "agent"),
            Values.number(row, "generation"),
            Values.number(row, "incarnation"),
            Values.number(row, "sequence"),
            Values.number(row, "applied_sequence"),
            Values.text(row, "jws"),
            Values.instant(row, "issued_at"),
            Values.instant(row, "expires_at"),
            Values.number(row, "row_version"));
    require(row, HEADS, head.granting(), head.agent(), "the head manifest");
    return head;
  }

  private void require(Row row, String table, List<String> fields, String agent, String what) {
    if (!mac.holds(Values.octets(row, "mac"), table, fields)) {
      throw new TamperedRowException(agent, "the row of " + what + " does not carry our MAC");
    }
  }

  private static String named(SystemVersion version) {
    return "system " + version.system() + " version " + version.version();
  }

  private static Stream<Row> stream(Iterable<Row> rows) {
    return StreamSupport.stream(rows.spliterator(), false);
  }
}
