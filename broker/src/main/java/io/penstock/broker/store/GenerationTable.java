package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.VerifyingKey;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Enrollments of agents: the keys of each generation, the proof and the approval, and the
/// two-phase rotation of the unlock secret.
public final class GenerationTable {
  private static final String COLUMNS =
      """
      agent, generation, state, dev_current, dev_next, unlock_epoch, bundle_current, bundle_next, sealing_public, signing_public, fingerprint,
      boot_id, proof_at, method, token_id, enrolled_at, host(enrolled_from) as enrolled_from, approved_by, approved_at, record_jws,
      allowed_cidrs, host_facts, expires_at\
      """;

  /// The public keys of an agent and its bundle, wrapped under the KEK.
  public record Keys(Octets dev, Octets sealing, VerifyingKey signing, Octets wrappedBundle) {}

  /// How an agent asked for trust. `tokenId` is what let it.
  public record Enrollment(
      String method,
      Optional<Octets> tokenId,
      Instant at,
      Optional<String> from,
      String fingerprint,
      Octets bootId,
      List<String> allowedCidrs,
      Map<String, Object> hostFacts,
      Instant expiresAt) {
    public Enrollment {
      allowedCidrs = List.copyOf(allowedCidrs);
      hostFacts = Collections.unmodifiableMap(new LinkedHashMap<>(hostFacts));
    }
  }

  public record Approval(String by, Instant at, String recordJws) {}

  public record Generation(
      String agent,
      long generation,
      GenerationState state,
      Octets devCurrent,
      Optional<Octets> devNext,
      long unlockEpoch,
      Optional<Octets> bundleCurrent,
      Optional<Octets> bundleNext,
      Octets sealingPublic,
      VerifyingKey signingPublic,
      Optional<Instant> proofAt,
      Enrollment enrollment,
      Optional<Approval> approval) {}

  /// A dev key that was once an agent's and is no longer.
  public record RetiredKey(
      Octets devKey, String agent, long generation, long unlockEpoch, Instant retiredAt) {}

  /// Rises with every enrollment of the name, whatever became of it.
  public long nextNumber(Tx tx, String agent) {
    return tx.one(
            "select coalesce(max(generation), 0) + 1 as next from agent_generations where agent ="
                + " $1",
            agent)
        .map(row -> Values.number(row, "next"))
        .orElse(1L);
  }

  public void insertPending(
      Tx tx, String agent, long generation, Keys keys, Enrollment enrollment) {
    tx.update(
        """
        insert into agent_generations (agent, generation, state, dev_current, bundle_current, sealing_public, signing_public, fingerprint,
          boot_id, method, token_id, enrolled_at, enrolled_from, allowed_cidrs, host_facts, expires_at)
        values ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::inet, $13, $14, $15)\
        """,
        agent,
        generation,
        keys.dev(),
        keys.wrappedBundle(),
        keys.sealing(),
        keys.signing().octets(),
        enrollment.fingerprint(),
        enrollment.bootId(),
        enrollment.method(),
        enrollment.tokenId(),
        enrollment.at(),
        enrollment.from(),
        enrollment.allowedCidrs(),
        enrollment.hostFacts(),
        enrollment.expiresAt());
  }

  /// The same dev key enrolls again while it is pending: new keys, bundle and fingerprint, and the
  /// proof is owed anew.
  public boolean replacePending(
      Tx tx, String agent, long generation, Keys keys, Enrollment enrollment) {
    return tx.update(
            """
            update agent_generations set bundle_current = $4, sealing_public = $5, signing_public = $6, fingerprint = $7, boot_id = $8,
              proof_at = null, enrolled_from = $9::text::inet, host_facts = $10
            where agent = $1 and generation = $2 and dev_current = $3 and state = 'pending'\
            """,
            agent,
            generation,
            keys.dev(),
            keys.wrappedBundle(),
            keys.sealing(),
            keys.signing().octets(),
            enrollment.fingerprint(),
            enrollment.bootId(),
            enrollment.from(),
            enrollment.hostFacts())
        == 1;
  }

  public Optional<Generation> find(Tx tx, String agent, long generation) {
    return tx.one(
            "select " + COLUMNS + " from agent_generations where agent = $1 and generation = $2",
            agent,
            generation)
        .map(GenerationTable::read);
  }

  public Optional<Generation> lock(Tx tx, String agent, long generation) {
    return tx.one(
            "select "
                + COLUMNS
                + " from agent_generations where agent = $1 and generation = $2 for update",
            agent,
            generation)
        .map(GenerationTable::read);
  }

  public Optional<Generation> pendingOf(Tx tx, String agent) {
    return tx.one(
            "select " + COLUMNS + " from agent_generations where agent = $1 and state = 'pending'",
            agent)
        .map(GenerationTable::read);
  }

  /// All generations of the name, newest first.
  public List<Generation> of(Tx tx, String agent) {
    var generations = new ArrayList<Generation>();
    tx.query(
            "select "
                + COLUMNS
                + " from agent_generations where agent = $1 order by generation desc",
            agent)
        .forEach(row -> generations.add(read(row)));
    return generations;
  }

  /// The newest generation of every agent, for lists: pending ones shadow the approved.
  public List<Generation> newestOfAll(Tx tx) {
    var generations = new ArrayList<Generation>();
    tx.query(
            "select distinct on (agent) "
                + COLUMNS
                + " from agent_generations order by agent, generation desc")
        .forEach(row -> generations.add(read(row)));
    return generations;
  }

  /// Whose dev key this is now or may be next: pending or approved generations only.
  public Optional<Generation> findByDevKey(Tx tx, Octets devKey) {
    return tx.one(
            "select "
                + COLUMNS
                + " from agent_generations where (dev_current = $1 or dev_next = $1) and state in"
                + " ('pending', 'approved')",
            devKey)
        .map(GenerationTable::read);
  }

  public boolean proved(Tx tx, String agent, long generation, Instant at) {
    return tx.update(
            "update agent_generations set proof_at = $3 where agent = $1 and generation = $2 and"
                + " state = 'pending'",
            agent,
            generation,
            at)
        == 1;
  }

  /// Approves a proved pending generation and ends the one before it, whose dev keys are retired.
  public boolean approve(Tx tx, String agent, long generation, Approval approval) {
    retireOthers(tx, agent, generation, approval.at());
    return tx.update(
            """
            update agent_generations set state = 'approved', approved_by = $3, approved_at = $4, record_jws = $5
            where agent = $1 and generation = $2 and state = 'pending' and proof_at is not null\
            """,
            agent,
            generation,
            approval.by(),
            approval.at(),
            approval.recordJws())
        == 1;
  }

  private static void retireOthers(Tx tx, String agent, long generation, Instant at) {
    tx.update(
        """
        insert into retired_dev_keys (dev_key, agent, generation, unlock_epoch, retired_at)
        select key, agent, generation, unlock_epoch, $3 from agent_generations, unnest(array[dev_current, dev_next]) as key
        where agent = $1 and generation <> $2 and state = 'approved' and key is not null on conflict do nothing\
        """,
        agent,
        generation,
        at);
    tx.update(
        """
        update agent_generations set state = 'ended', dev_next = null, bundle_current = null, bundle_next = null
        where agent = $1 and generation <> $2 and state = 'approved'\
        """,
        agent,
        generation);
  }

  public boolean reject(Tx tx, String agent, long generation) {
    return tx.update(
            """
            update agent_generations set state = 'rejected', bundle_current = null, bundle_next = null
            where agent = $1 and generation = $2 and state = 'pending'\
            """,
            agent,
            generation)
        == 1;
  }

  /// Deletes every wrapped bundle of the name: from now on nobody can open its identity again.
  public int revokeAll(Tx tx, String agent) {
    return tx.update(
        "update agent_generations set state = 'revoked', bundle_current = null, bundle_next = null"
            + " where agent = $1",
        agent);
  }

  /// Pending rows whose day has passed.
  public List<String> dropExpired(Tx tx, Instant now) {
    var agents = new ArrayList<String>();
    tx.query(
            "delete from agent_generations where state = 'pending' and expires_at <= $1 returning"
                + " agent",
            now)
        .forEach(row -> agents.add(Values.text(row, "agent")));
    return agents;
  }

  /// UNLOCK_NEXT: stores the next key and bundle beside the current ones, replacing a next that was
  /// never used. `unlockEpoch` is the epoch that the next will have. A crash repeats this step with
  /// other keys; a key that somebody already had is refused.
  public boolean storeNext(
      Tx tx,
      String agent,
      long generation,
      long unlockEpoch,
      Octets devNext,
      Octets wrappedBundleNext) {
    if (isRetired(tx, devNext).isPresent()) {
      return false;
    }
    return tx.update(
            """
            update agent_generations set dev_next = $4, bundle_next = $5
            where agent = $1 and generation = $2 and unlock_epoch = $3 - 1 and state = 'approved' and dev_current <> $4\
            """,
            agent,
            generation,
            unlockEpoch,
            devNext,
            wrappedBundleNext)
        == 1;
  }

  /// UNLOCK_COMMIT, or the first use of next: next becomes current, the old key is retired. True
  /// also when it had been done before.
  public boolean commitNext(Tx tx, String agent, long generation, Octets devNext, Instant at) {
    Optional<Generation> found = lock(tx, agent, generation);
    if (found.isEmpty() || found.get().state() != GenerationState.APPROVED) {
      return false;
    }
    Generation row = found.get();
    if (row.devCurrent().equals(devNext)) {
      return true;
    }
    if (!row.devNext().equals(Optional.of(devNext))) {
      return false;
    }
    tx.update(
        """
        insert into retired_dev_keys (dev_key, agent, generation, unlock_epoch, retired_at)
        values ($1, $2, $3, $4, $5) on conflict do nothing\
        """,
        row.devCurrent(),
        agent,
        generation,
        row.unlockEpoch(),
        at);
    tx.update(
        """
        update agent_generations set dev_current = dev_next, dev_next = null, bundle_current = bundle_next, bundle_next = null,
          unlock_epoch = unlock_epoch + 1 where agent = $1 and generation = $2\
        """,
        agent,
        generation);
    return true;
  }

  public Optional<RetiredKey> isRetired(Tx tx, Octets devKey) {
    return tx.one(
            "select dev_key, agent, generation, unlock_epoch, retired_at from retired_dev_keys"
                + " where dev_key = $1",
            devKey)
        .map(
            row ->
                new RetiredKey(
                    Values.octets(row, "dev_key"),
                    Values.text(row, "agent"),
                    Values.number(row, "generation"),
                    Values.number(row, "unlock_epoch"),
                    Values.instant(row, "retired_at")));
  }

  private static Generation read(Row row) {
    return new Generation(
        Values.text(row, "agent"),
        Values.number(row, "generation"),
        Values.constant(row, "state", GenerationState.class),
        Values.octets(row, "dev_current"),
        Values.optionalOctets(row, "dev_next"),
        Values.number(row, "unlock_epoch"),
        Values.optionalOctets(row, "bundle_current"),
        Values.optionalOctets(row, "bundle_next"),
        Values.octets(row, "sealing_public"),
        new VerifyingKey(Values.octets(row, "signing_public")),
        Values.optionalInstant(row, "proof_at"),
        readEnrollment(row),
        Values.optionalInstant(row, "approved_at").map(at -> readApproval(row, at)));
  }

  private static Enrollment readEnrollment(Row row) {
    JsonObject hostFacts = row.getJsonObject("host_facts");
    return new Enrollment(
        Values.text(row, "method"),
        Values.optionalOctets(row, "token_id"),
        Values.instant(row, "enrolled_at"),
        Values.optionalText(row, "enrolled_from"),
        Values.text(row, "fingerprint"),
        Values.optionalOctets(row, "boot_id").orElse(Octets.of(new byte[0])),
        Values.list(row, "allowed_cidrs"),
        hostFacts.getMap(),
        Values.instant(row, "expires_at"));
  }

  private static Approval readApproval(Row row, Instant at) {
    return new Approval(Values.text(row, "approved_by"), at, Values.text(row, "record_jws"));
  }
}
