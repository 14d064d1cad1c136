package io.penstock.broker.store;

import io.penstock.broker.store.AgentKeys.Approval;
import io.penstock.broker.store.AgentKeys.Custody;
import io.penstock.broker.store.AgentKeys.Identity;
import io.penstock.broker.store.AgentKeys.NextUnlock;
import io.penstock.broker.store.AgentKeys.Origin;
import io.penstock.broker.store.AgentKeys.Place;
import io.penstock.broker.store.AgentKeys.Unlock;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// Agents and their generations, whole rows at a time. Who calls it puts the MACs in and looks at
/// them; here they are bytes.
///
/// Every change of an agent locks its `agents` row first, so changes of one agent follow each
/// other.
public final class IdentityTable {
  private static final String GENERATIONS =
      """
      select agent, generation, state, dev_current, dev_next, unlock_epoch, bundle_current,
             bundle_next, sealing_public, signing_public, fingerprint, boot_id, proof_at, method,
             token_id, enrolled_at, host(enrolled_from) as enrolled_from, approved_by, approved_at,
             record_jws, allowed_cidrs, host_facts, expires_at, site, labels, next_boot_id,
             rotated_boot_id, mac
      from agent_generations
      """;
  private static final String AGENTS =
      """
      select name, site, labels, state, generation, created_at, quarantined_reason, revoked_at, mac
      from agents
      """;

  public Sent<Optional<AgentStanding>> find(Tx tx, String name) {
    return tx.sendForOne(AGENTS + " where name = $1", name)
        .map(row -> row.map(IdentityTable::standing));
  }

  public Sent<Optional<AgentStanding>> lock(Tx tx, String name) {
    return tx.sendForOne(AGENTS + " where name = $1 for update", name)
        .map(row -> row.map(IdentityTable::standing));
  }

  /// By name.
  public List<AgentStanding> list(Tx tx) {
    return stream(tx.query(AGENTS + " order by name")).map(IdentityTable::standing).toList();
  }

  /// False when the name is taken, perhaps a moment ago.
  public boolean insert(Tx tx, AgentStanding agent) {
    return tx.update(
            """
            insert into agents (name, site, labels, state, generation, created_at, mac)
            values ($1, $2, $3, $4, $5, $6, $7) on conflict (name) do nothing
            """,
            agent.name(),
            agent.site(),
            agent.labels(),
            agent.state(),
            agent.generation(),
            agent.createdAt(),
            agent.mac())
        == 1;
  }

  public void update(Tx tx, AgentStanding agent) {
    tx.update(
        """
        update agents set site = $2, labels = $3, state = $4, generation = $5,
          quarantined_reason = $6, revoked_at = $7, mac = $8, row_version = row_version + 1
        where name = $1
        """,
        agent.name(),
        agent.site(),
        agent.labels(),
        agent.state(),
        agent.generation(),
        agent.quarantinedReason(),
        agent.revokedAt(),
        agent.mac());
  }

  /// Newest first.
  public Sent<List<AgentKeys>> generations(Tx tx, String agent) {
    return tx.send(GENERATIONS + " where agent = $1 order by generation desc", agent)
        .map(rows -> stream(rows).map(IdentityTable::keys).toList());
  }

  /// The one that the agent's own row names.
  public Sent<Optional<AgentKeys>> generationInForce(Tx tx, String agent) {
    return tx.sendForOne(
            GENERATIONS
                + " where agent = $1 and generation = (select a.generation from agents a where"
                + " a.name = $1)",
            agent)
        .map(row -> row.map(IdentityTable::keys));
  }

  /// What became of one enrollment.
  public record Decided(String agent, long generation, GenerationState state) {}

  public List<Decided> states(Tx tx, List<String> agents) {
    return stream(
            tx.query(
                "select agent, generation, state from agent_generations where agent = any($1)",
                agents))
        .map(
            row ->
                new Decided(
                    Values.text(row, "agent"),
                    Values.number(row, "generation"),
                    Values.constant(row, "state", GenerationState.class)))
        .toList();
  }

  /// All generations of all agents, for lists.
  public List<AgentKeys> allGenerations(Tx tx) {
    return stream(tx.query(GENERATIONS + " order by agent, generation desc"))
        .map(IdentityTable::keys)
        .toList();
  }

  public void insert(Tx tx, AgentKeys keys) {
    tx.update(
        """
        insert into agent_generations (agent, generation, state, dev_current, dev_next,
          unlock_epoch, bundle_current, bundle_next, sealing_public, signing_public, fingerprint,
          boot_id, proof_at, method, token_id, enrolled_at, enrolled_from, approved_by, approved_at,
          record_jws, allowed_cidrs, host_facts, expires_at, site, labels, next_boot_id,
          rotated_boot_id, mac)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
          $17::text::inet, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
        """,
        row(keys));
  }

  public void update(Tx tx, AgentKeys keys) {
    tx.update(
        """
        update agent_generations set state = $3, dev_current = $4, dev_next = $5,
          unlock_epoch = $6, bundle_current = $7, bundle_next = $8, sealing_public = $9,
          signing_public = $10, fingerprint = $11, boot_id = $12, proof_at = $13, method = $14,
          token_id = $15, enrolled_at = $16, enrolled_from = $17::text::inet, approved_by = $18,
          approved_at = $19, record_jws = $20, allowed_cidrs = $21, host_facts = $22,
          expires_at = $23, site = $24, labels = $25, next_boot_id = $26, rotated_boot_id = $27,
          mac = $28
        where agent = $1 and generation = $2
        """,
        row(keys));
  }

  public void delete(Tx tx, AgentKeys keys) {
    tx.update(
        "delete from agent_generations where agent = $1 and generation = $2",
        keys.agent(),
        keys.generation());
  }

  public void deleteAgent(Tx tx, String name) {
    tx.update("delete from receipts where agent = $1", name);
    tx.update("delete from receipt_documents where agent = $1", name);
    tx.update("delete from agents where name = $1", name);
  }

  /// Pending generations whose time is over, oldest first, at most `limit`.
  public List<AgentKeys> expired(Tx tx, Instant now, int limit) {
    return stream(
            tx.query(
                GENERATIONS
                    + " where state = 'pending' and expires_at <= $1 order by expires_at limit $2",
                now,
                limit))
        .map(IdentityTable::keys)
        .toList();
  }

  /// Whether somebody has, or once had, this dev key.
  public boolean devKeyKnown(Tx tx, Octets dev) {
    return tx.one(
            """
            select 1 as known where exists (select 1 from agent_generations
                where dev_current = $1 or dev_next = $1)
              or exists (select 1 from retired_dev_keys where dev_key = $1)
            """,
            dev)
        .isPresent();
  }

  /// The agent whose retired dev key this is.
  public Sent<Optional<String>> retiredFrom(Tx tx, Octets dev) {
    return tx.sendForOne("select agent from retired_dev_keys where dev_key = $1", dev)
        .map(row -> row.map(it -> Values.text(it, "agent")));
  }

  public void retire(Tx tx, AgentKeys keys, Octets dev, Instant at) {
    tx.update(
        """
        insert into retired_dev_keys (dev_key, agent, generation, unlock_epoch, retired_at)
        values ($1, $2, $3, $4, $5) on conflict (dev_key) do nothing
        """,
        dev,
        keys.agent(),
        keys.generation(),
        keys.custody().unlockEpoch(),
        at);
  }

  private static Object[] row(AgentKeys keys) {
    Custody custody = keys.custody();
    Origin origin = keys.origin();
    return new Object[] {
      keys.agent(),
      keys.generation(),
      keys.state(),
      custody.current().dev(),
      custody.next().map(next -> next.unlock().dev()),
      custody.unlockEpoch(),
      custody.current().wrappedBundle(),
      custody.next().flatMap(next -> next.unlock().wrappedBundle()),
      keys.identity().sealingPublic(),
      keys.identity().signingPublic(),
      keys.identity().fingerprint(),
      origin.bootId(),
      keys.identity().proofAt(),
      origin.method(),
      origin.tokenId(),
      origin.at(),
      origin.from(),
      keys.approval().map(Approval::by),
      keys.approval().map(Approval::at),
      keys.approval().map(Approval::recordJws),
      keys.place().allowedCidrs(),
      origin.hostFacts(),
      keys.expiresAt(),
      keys.place().site(),
      keys.place().labels(),
      custody.next().map(NextUnlock::bootId),
      custody.rotatedBootId(),
      keys.mac()
    };
  }

  private static AgentKeys keys(Row row) {
    return new AgentKeys(
        Values.text(row, "agent"),
        Values.number(row, "generation"),
        Values.constant(row, "state", GenerationState.class),
        custody(row),
        new Identity(
            Values.octets(row, "sealing_public"),
            Values.octets(row, "signing_public"),
            Values.text(row, "fingerprint"),
            Values.optionalInstant(row, "proof_at")),
        new Place(
            Values.text(row, "site"),
            Values.textMap(row, "labels"),
            Values.list(row, "allowed_cidrs")),
        new Origin(
            Values.text(row, "method"),
            Values.optionalOctets(row, "token_id"),
            Values.instant(row, "enrolled_at"),
            Values.text(row, "enrolled_from"),
            Values.octets(row, "boot_id"),
            Values.textMap(row, "host_facts")),
        Values.optionalText(row, "record_jws")
            .map(
                jws ->
                    new Approval(
                        Values.text(row, "approved_by"), Values.instant(row, "approved_at"), jws)),
        Values.instant(row, "expires_at"),
        Values.octets(row, "mac"));
  }

  private static Custody custody(Row row) {
    Optional<NextUnlock> next =
        Values.optionalOctets(row, "dev_next")
            .map(
                dev ->
                    new NextUnlock(
                        new Unlock(dev, Values.optionalOctets(row, "bundle_next")),
                        Values.octets(row, "next_boot_id")));
    return new Custody(
        new Unlock(Values.octets(row, "dev_current"), Values.optionalOctets(row, "bundle_current")),
        next,
        Values.number(row, "unlock_epoch"),
        Values.optionalOctets(row, "rotated_boot_id"));
  }

  private static AgentStanding standing(Row row) {
    return new AgentStanding(
        Values.text(row, "name"),
        Values.text(row, "site"),
        Values.textMap(row, "labels"),
        Values.constant(row, "state", AgentState.class),
        Values.number(row, "generation"),
        Values.instant(row, "created_at"),
        Values.optionalText(row, "quarantined_reason"),
        Values.optionalInstant(row, "revoked_at"),
        Values.octets(row, "mac"));
  }

  private static Stream<Row> stream(Iterable<Row> rows) {
    return StreamSupport.stream(rows.spliterator(), false);
  }
}
