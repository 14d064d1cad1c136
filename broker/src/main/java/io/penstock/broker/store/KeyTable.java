package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// What rows need of keys: which record, head or version was signed by which, and what is wrapped
/// by another KEK than the newest. Rows are found by what signed and wrapped texts begin with; what
/// is
/// done with them looks at the whole.
public final class KeyTable {
  private static final int PREFIX_BYTES = 9;

  /// Where a row's signed text begins, up to the first dot.
  private static final String HEADER_OF_RECORD = "split_part(record_jws, '.', 1)";

  /// Agents with a bundle under another KEK, or an approved record under another key, by name after
  /// `after`.
  ///
  /// @param wrapPrefix of the newest KEK
  /// @param recordHeader of records that the newest record key signs
  public List<String> agentsBehind(
      Tx tx, byte[] wrapPrefix, String recordHeader, String after, int limit) {
    return stream(
            tx.query(
                """
                select distinct agent from agent_generations
                where agent > $3 and (substring(bundle_current from 1 for 9) <> $1
                  or substring(bundle_next from 1 for 9) <> $1
                  or (state = 'approved' and split_part(record_jws, '.', 1) <> $2))
                order by agent limit $4
                """,
                wrapPrefix,
                recordHeader,
                after,
                limit))
        .map(row -> Values.text(row, "agent"))
        .toList();
  }

  /// Approved records that a key signed.
  public long records(Tx tx, String header) {
    return count(
        tx,
        "select count(*) as n from agent_generations where state = 'approved' and "
            + HEADER_OF_RECORD
            + " = $1",
        header);
  }

  /// Bundles that are not wrapped by the newest KEK.
  public long bundlesBehind(Tx tx, byte[] wrapPrefix) {
    return count(
        tx,
        """
        select count(*) as n from agent_generations
        where substring(bundle_current from 1 for 9) <> $1
          or substring(bundle_next from 1 for 9) <> $1
        """,
        wrapPrefix);
  }

  /// Agents whose head another key signed, by name after `after`.
  public List<String> headsBehind(Tx tx, String header, String after, int limit) {
    return stream(
            tx.query(
                """
                select agent from heads where agent > $2 and split_part(jws, '.', 1) <> $1
                order by agent limit $3
                """,
                header,
                after,
                limit))
        .map(row -> Values.text(row, "agent"))
        .toList();
  }

  public long heads(Tx tx, String header) {
    return count(tx, "select count(*) as n from heads where split_part(jws, '.', 1) = $1", header);
  }

  /// Versions whose header a key signed.
  public long versions(Tx tx, String header) {
    return count(
        tx,
        "select count(*) as n from system_versions where split_part(header_jws, '.', 1) = $1",
        header);
  }

  /// A version that its agent should run.
  public record Deployed(String agent, String system, long version) {}

  /// What is deployed under a header that a key signed, at most `limit`.
  public List<Deployed> deployed(Tx tx, String header, int limit) {
    return stream(
            tx.query(
                """
                select v.agent, v.system, v.version from system_versions v join systems s
                  on s.agent = v.agent and s.system = v.system and s.deployed_version = v.version
                where split_part(v.header_jws, '.', 1) = $1 and s.removed_version < v.version
                order by v.agent, v.system limit $2
                """,
                header,
                limit))
        .map(
            row ->
                new Deployed(
                    Values.text(row, "agent"),
                    Values.text(row, "system"),
                    Values.number(row, "version")))
        .toList();
  }

  /// Settings as they are wrapped.
  public record Wrapped(
      String agent, long generation, String system, long version, byte[] settings) {
    @Override
    public String toString() {
      return "Wrapped[" + agent + " " + system + " " + version + "]";
    }
  }

  /// Settings that are not wrapped by the newest KEK, after those of `after`.
  public List<Wrapped> settingsBehind(
      Tx tx, byte[] wrapPrefix, Optional<Wrapped> after, int limit) {
    return stream(
            tx.query(
                """
                select agent, generation, system, version, settings from system_versions
                where substring(settings from 1 for 9) <> $1
                  and (agent, system, version) > ($2, $3, $4)
                order by agent, system, version limit $5
                """,
                wrapPrefix,
                after.map(Wrapped::agent).orElse(""),
                after.map(Wrapped::system).orElse(""),
                after.map(Wrapped::version).orElse(0L),
                limit))
        .map(
            row ->
                new Wrapped(
                    Values.text(row, "agent"),
                    Values.number(row, "generation"),
                    Values.text(row, "system"),
                    Values.number(row, "version"),
                    Values.octets(row, "settings").bytes()))
        .toList();
  }

  public long settingsBehind(Tx tx, byte[] wrapPrefix) {
    return count(
        tx,
        "select count(*) as n from system_versions where substring(settings from 1 for "
            + PREFIX_BYTES
            + ") <> $1",
        wrapPrefix);
  }

  /// Waiting changes whose body is not wrapped by the newest KEK.
  public long changesBehind(Tx tx, byte[] wrapPrefix) {
    return count(
        tx,
        "select count(*) as n from changes where substring(body from 1 for "
            + PREFIX_BYTES
            + ") <> $1",
        wrapPrefix);
  }

  /// The same settings under another wrap, unless somebody changed them meanwhile.
  public void rewrap(Tx tx, Wrapped old, byte[] settings) {
    tx.update(
        """
        update system_versions set settings = $4
        where agent = $1 and system = $2 and version = $3 and settings = $5
        """,
        old.agent(),
        old.system(),
        old.version(),
        settings,
        old.settings());
  }

  /// Whether a key signed the newest audit checkpoint, which speaks for all before it.
  public boolean isNewestCheckpoint(Tx tx, String header) {
    return tx.one("select jws from audit_checkpoints order by number desc limit 1")
        .filter(row -> Values.text(row, "jws").startsWith(header + "."))
        .isPresent();
  }

  /// When the last service token expires that was issued before `at` and not withdrawn.
  public Optional<Instant> lastServiceToken(Tx tx, Instant at, Instant now) {
    return tx.one(
            """
            select max(expires_at) as last from service_tokens
            where issued_at <= $1 and expires_at > $2 and revoked_at is null
            """,
            at,
            now)
        .flatMap(row -> Values.optionalInstant(row, "last"));
  }

  /// Enrollment tokens made before `at` whose agents may still come with them.
  public long enrollmentTokens(Tx tx, Instant at, Instant expiresAfter) {
    return count(
        tx,
        """
        select count(*) as n from enrollment_tokens where created_at < $1 and expires_at > $2
        """,
        at,
        expiresAfter);
  }

  private static long count(Tx tx, String query, Object... values) {
    return tx.one(query, values).map(row -> Values.number(row, "n")).orElse(0L);
  }

  private static Stream<Row> stream(Iterable<Row> rows) {
    return StreamSupport.stream(rows.spliterator(), false);
  }
}
