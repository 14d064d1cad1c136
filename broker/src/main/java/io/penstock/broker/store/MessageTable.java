package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What waits for agents, a row for each message until its receipt, numbered per agent. What a row
/// makes an agent do is under a MAC.
public final class MessageTable {
  /// A hint that an agent has something to hear; the payload names it, after [#HEAD_HINT] when it
  /// is a renewed head and no message.
  public static final String CHANNEL = "penstock_messages";

  /// No agent's name has a space.
  public static final String HEAD_HINT = "head ";

  private static final String TABLE = "messages";
  private static final String COLUMNS =
      """
      agent, sequence, generation, kind, system, version, instruction_id, instruction_kind, author,
      created_at, expires_at, attempts, sent_at, sent_slot, sent_epoch, mac\
      """;

  private final RowMac mac;

  public MessageTable(RowMac mac) {
    this.mac = mac;
  }

  public enum Kind {
    CONFIGURATION,
    REMOVAL,
    INSTRUCTION
  }

  /// What an agent is to hear.
  ///
  /// @param version of a configuration or of a tombstone
  public record Content(
      Kind kind,
      Optional<String> system,
      Optional<Long> version,
      Optional<String> instructionId,
      Optional<String> instructionKind) {

    public static Content ofSystem(Kind kind, String system, long version) {
      return new Content(
          kind, Optional.of(system), Optional.of(version), Optional.empty(), Optional.empty());
    }

    public static Content instruction(String id, String kind, Optional<String> system) {
      return new Content(
          Kind.INSTRUCTION, system, Optional.empty(), Optional.of(id), Optional.of(kind));
    }
  }

  /// The session that a message went out on.
  public record Sent(Instant at, int slot, long epoch) {}

  /// @param generation of the agent that it is for
  /// @param attempts how often it was sent
  /// @param genuine the MAC holds: this is what we wrote
  public record Message(
      String agent,
      long sequence,
      long generation,
      Content content,
      String author,
      Instant createdAt,
      Optional<Instant> expiresAt,
      long attempts,
      Optional<Sent> sent,
      boolean genuine) {
    public MessageKey key() {
      return new MessageKey(agent, sequence);
    }
  }

  /// Whose window is looked at, on which session.
  ///
  /// @param again what the session was given before is wanted, too
  public record Window(String agent, int slot, long epoch, boolean again) {}

  /// Names one row.
  public record MessageKey(String agent, long sequence) {}

  /// Takes an agent's next number, and locks the agent's queue until the transaction ends.
  public long next(Tx tx, String agent) {
    return tx.one(
            """
            insert into message_sequences as s (agent, next_seq) values ($1, 2)
            on conflict (agent) do update set next_seq = s.next_seq + 1 returning next_seq - 1 as sequence\
            """,
            agent)
        .map(row -> Values.number(row, "sequence"))
        .orElseThrow();
  }

  /// Tells every node, at the commit, that the agent has something to hear.
  public void announce(Tx tx, String agent) {
    tx.query("select pg_notify($1, $2)", CHANNEL, agent);
  }

  /// Tells every node, at the commit, that the agent's head was signed again.
  public void announceHead(Tx tx, String agent) {
    tx.query("select pg_notify($1, $2)", CHANNEL, HEAD_HINT + agent);
  }

  /// The highest number given out; 0 before the first.
  public long last(Tx tx, String agent) {
    return tx.one("select next_seq - 1 as last from message_sequences where agent = $1", agent)
        .map(row -> Values.number(row, "last"))
        .orElse(0L);
  }

  /// Undelivered messages of an agent, counted up to `limit`.
  public int count(Tx tx, String agent, int limit) {
    return tx.one(
            "select count(*) as waiting from (select 1 from messages where agent = $1 limit $2) as"
                + " first",
            agent,
            limit)
        .map(row -> Math.toIntExact(Values.number(row, "waiting")))
        .orElseThrow();
  }

  /// Undelivered messages of an agent.
  public long count(Tx tx, String agent) {
    return tx.one("select count(*) as waiting from messages where agent = $1", agent)
        .map(row -> Values.number(row, "waiting"))
        .orElseThrow();
  }

  /// By agent; agents without any are left out.
  public Map<String, Long> counts(Tx tx) {
    var counts = new HashMap<String, Long>();
    tx.query("select agent, count(*) as waiting from messages group by agent")
        .forEach(row -> counts.put(Values.text(row, "agent"), Values.number(row, "waiting")));
    return counts;
  }

  public void insert(
      Tx tx,
      MessageKey key,
      long generation,
      Content content,
      String author,
      Instant createdAt,
      Optional<Instant> expiresAt) {
    tx.update(
        """
        insert into messages (agent, sequence, generation, kind, system, version, instruction_id, instruction_kind,
          author, created_at, expires_at, mac)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)\
        """,
        key.agent(),
        key.sequence(),
        generation,
        content.kind(),
        content.system(),
        content.version(),
        content.instructionId(),
        content.instructionKind(),
        author,
        createdAt,
        expiresAt,
        mac.of(TABLE, granting(key, generation, content, author, expiresAt)));
  }

  /// Takes away what waits for the agent as it was enrolled before `generation`.
  public List<Message> takeBefore(Tx tx, String agent, long generation) {
    return read(
        tx.query(
            "delete from messages where agent = $1 and generation < $2 returning " + COLUMNS,
            agent,
            generation));
  }

  /// One version of a system, and all before it.
  public record UpTo(String agent, long generation, String system, long version) {}

  /// Rows about these versions, locked until the transaction ends.
  public List<Message> lockUpTo(Tx tx, List<UpTo> versions) {
    return read(
        tx.query(
            "select "
                + COLUMNS
                + " from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) as u (of_agent,"
                + " of_generation, of_system, up_to) join messages on agent = of_agent and"
                + " generation = of_generation and system = of_system and version <= up_to and"
                + " kind <> 'instruction' order by agent, sequence for update of messages",
            versions.stream().map(UpTo::agent).toArray(String[]::new),
            versions.stream().map(UpTo::generation).toArray(Long[]::new),
            versions.stream().map(UpTo::system).toArray(String[]::new),
            versions.stream().map(UpTo::version).toArray(Long[]::new)));
  }

  /// Takes away what waits about a system.
  public List<Message> supersede(Tx tx, String agent, String system) {
    return read(
        tx.query(
            "delete from messages where agent = $1 and system = $2 and kind <> 'instruction'"
                + " returning "
                + COLUMNS,
            agent,
            system));
  }

  /// The first `size` messages of each agent that its session was not given yet, in order. Only for
  /// agents that are approved: a session may outlive that by a moment.
  public List<Message> due(Tx tx, List<Window> windows, int size) {
    return read(
        tx.query(
            "select m.* from unnest($1::text[], $2::int[], $3::bigint[], $4::bool[]) as w (agent,"
                + " slot, epoch, again) join agents a on a.name = w.agent and a.state = 'approved'"
                + " cross join lateral (select "
                + COLUMNS
                + " from messages where messages.agent = w.agent order by sequence limit $5) as m"
                + " where w.again or m.sent_epoch is distinct from w.epoch or m.sent_slot is"
                + " distinct from w.slot order by m.agent, m.sequence",
            windows.stream().map(Window::agent).toArray(String[]::new),
            windows.stream().map(Window::slot).toArray(Integer[]::new),
            windows.stream().map(Window::epoch).toArray(Long[]::new),
            windows.stream().map(Window::again).toArray(Boolean[]::new),
            size));
  }

  /// Notes that messages go out now. Rows are locked in the order in which receipts lock them.
  public void sent(Tx tx, Map<MessageKey, Window> given, Instant at) {
    List<Map.Entry<MessageKey, Window>> all = List.copyOf(given.entrySet());
    tx.update(
        """
        with g as materialized (
          select o.agent, o.sequence, w.slot, w.epoch
          from unnest($1::text[], $2::bigint[], $3::int[], $4::bigint[]) as w (agent, sequence, slot, epoch)
          join messages o on o.agent = w.agent and o.sequence = w.sequence
          order by o.agent, o.sequence for update of o)
        update messages as m set sent_at = $5, sent_slot = g.slot, sent_epoch = g.epoch, attempts = m.attempts + 1
        from g where m.agent = g.agent and m.sequence = g.sequence\
        """,
        all.stream().map(one -> one.getKey().agent()).toArray(String[]::new),
        all.stream().map(one -> one.getKey().sequence()).toArray(Long[]::new),
        all.stream().map(one -> one.getValue().slot()).toArray(Integer[]::new),
        all.stream().map(one -> one.getValue().epoch()).toArray(Long[]::new),
        at);
  }

  /// Rows by their names; what is gone is not in the answer.
  public List<Message> find(Tx tx, List<MessageKey> keys) {
    return read(
        tx.query(
            "select "
                + COLUMNS
                + " from messages where (agent, sequence) in (select * from unnest($1::text[],"
                + " $2::bigint[]))",
            keys.stream().map(MessageKey::agent).toArray(String[]::new),
            keys.stream().map(MessageKey::sequence).toArray(Long[]::new)));
  }

  /// Takes rows away, in the order in which [#sent] locks them; what is gone already is not in the
  /// answer.
  public Set<MessageKey> take(Tx tx, Collection<MessageKey> keys) {
    List<MessageKey> ordered =
        keys.stream()
            .sorted(Comparator.comparing(MessageKey::agent).thenComparingLong(MessageKey::sequence))
            .toList();
    var taken = new HashSet<MessageKey>();
    tx.query(
            "delete from messages as m using unnest($1::text[], $2::bigint[]) as k (of_agent,"
                + " number) where m.agent = k.of_agent and m.sequence = k.number returning m.agent,"
                + " m.sequence",
            ordered.stream().map(MessageKey::agent).toArray(String[]::new),
            ordered.stream().map(MessageKey::sequence).toArray(Long[]::new))
        .forEach(
            row ->
                taken.add(
                    new MessageKey(Values.text(row, "agent"), Values.number(row, "sequence"))));
    return taken;
  }

  /// Takes away what makes no sense any more, at most `limit`.
  public List<Message> expire(Tx tx, Instant now, int limit) {
    return read(
        tx.query(
            "delete from messages where (agent, sequence) in (select agent, sequence from messages"
                + " where expires_at <= $1 order by expires_at limit $2 for update skip locked)"
                + " returning "
                + COLUMNS,
            now,
            limit));
  }

  /// Agents that have something waiting, by name. Goes from one to the next in the index: it costs
  /// nothing while nothing waits, however many agents there are, and little however much waits.
  public List<String> waiting(Tx tx) {
    var waiting = new ArrayList<String>();
    tx.query(
            """
            with recursive w (agent) as (
              (select agent from messages order by agent limit 1)
              union all
              select (select m.agent from messages m where m.agent > w.agent order by m.agent limit 1) from w
              where w.agent is not null)
            select agent from w where agent is not null\
            """)
        .forEach(row -> waiting.add(Values.text(row, "agent")));
    return waiting;
  }

  /// In order, from after `after` on.
  public List<Message> list(Tx tx, String agent, long after, int limit) {
    return read(
        tx.query(
            "select "
                + COLUMNS
                + " from messages where agent = $1 and sequence > $2 order by sequence limit $3",
            agent,
            after,
            limit));
  }

  private List<Message> read(RowSet<Row> rows) {
    var messages = new ArrayList<Message>(rows.size());
    rows.forEach(row -> messages.add(read(row)));
    return messages;
  }

  private Message read(Row row) {
    var key = new MessageKey(Values.text(row, "agent"), Values.number(row, "sequence"));
    var content =
        new Content(
            Values.constant(row, "kind", Kind.class),
            Values.optionalText(row, "system"),
            Optional.ofNullable(row.getLong("version")),
            Values.optionalText(row, "instruction_id"),
            Values.optionalText(row, "instruction_kind"));
    long generation = Values.number(row, "generation");
    String author = Values.text(row, "author");
    Optional<Instant> expiresAt = Values.optionalInstant(row, "expires_at");
    Octets found = Values.octets(row, "mac");
    return new Message(
        key.agent(),
        key.sequence(),
        generation,
        content,
        author,
        Values.instant(row, "created_at"),
        expiresAt,
        Values.number(row, "attempts"),
        Values.optionalInstant(row, "sent_at").map(at -> readSent(row, at)),
        mac.holds(found, TABLE, granting(key, generation, content, author, expiresAt)));
  }

  private static Sent readSent(Row row, Instant at) {
    return new Sent(
        at, Math.toIntExact(Values.number(row, "sent_slot")), Values.number(row, "sent_epoch"));
  }

  private static List<String> granting(
      MessageKey key,
      long generation,
      Content content,
      String author,
      Optional<Instant> expiresAt) {
    return List.of(
        key.agent(),
        Long.toString(key.sequence()),
        Long.toString(generation),
        content.kind().name(),
        MacText.of(content.system()),
        MacText.of(content.version()),
        MacText.of(content.instructionId()),
        MacText.of(content.instructionKind()),
        author,
        MacText.of(expiresAt.map(Instant::toEpochMilli)));
  }
}
