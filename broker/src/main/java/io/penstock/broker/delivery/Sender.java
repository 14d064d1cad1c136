package io.penstock.broker.delivery;

import io.penstock.broker.agents.Failpoint;
import io.penstock.broker.delivery.Letters.Written;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.MessageTable.MessageKey;
import io.penstock.broker.store.MessageTable.Window;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.seal.WipeOrder;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sends what waits: of each agent the first [#WINDOW] messages, in order, on one session; what its
/// rows say was given to that very session is not given again. So a reconnect, a restart of the
/// broker or a restored row need no care: their rows name no session or an old one.
///
/// A few workers take agents from the [Line], many at a time with one query; one agent is in one
/// worker's hands. Everything that may have changed an agent's window calls [#wake].
final class Sender implements AutoCloseable {
  static final int WINDOW = 32;

  private static final int WORKERS = 4;
  private static final int AGENTS_AT_ONCE = 64;

  /// Sent and not read yet, of one session; a session that waits with more than 1 MiB is cut.
  private static final int UNREAD_BYTES = 512 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(Sender.class);

  private final Database database;
  private final MessageTable messages;
  private final Documents documents;
  private final Function<WipeOrder, String> wipeOrders;
  private final DeliveryLedger ledger;
  private final DeliveryCounters counters;
  private final Roster roster;
  private final Failpoint failpoint;
  private final Clock clock;
  private final Line line = new Line();

  Sender(
      Database database,
      MessageTable messages,
      Documents documents,
      Function<WipeOrder, String> wipeOrders,
      DeliveryLedger ledger,
      DeliveryCounters counters,
      Roster roster,
      Failpoint failpoint,
      Clock clock) {
    this.database = database;
    this.messages = messages;
    this.documents = documents;
    this.wipeOrders = wipeOrders;
    this.ledger = ledger;
    this.counters = counters;
    this.roster = roster;
    this.failpoint = failpoint;
    this.clock = clock;
  }

  void start() {
    for (int worker = 0; worker < WORKERS; worker++) {
      Thread.ofVirtual()
          .name("delivery-sender-", worker)
          .start(() -> line.serve(AGENTS_AT_ONCE, this::serve));
    }
  }

  /// Agents without a live session here are none of ours. Never blocks.
  void wake(String agent) {
    if (!roster.of(agent).isEmpty()) {
      line.add(agent);
    }
  }

  private void serve(List<String> agents) {
    List<Attached> targets = agents.stream().map(roster::chosen).flatMap(Optional::stream).toList();
    if (targets.isEmpty()) {
      return;
    }
    try {
      send(targets);
    } catch (StoreUnavailableException away) {
      // Whether the rows were marked is unknown; the next round asks again.
      targets.forEach(Attached::doubt);
      LOG.debug("messages wait for the database: {}", away.getMessage());
    } catch (RuntimeException | Error failure) {
      targets.forEach(Attached::doubt);
      oneByOne(targets, failure);
    }
  }

  /// One agent's rows that cannot be sent do not keep the others' from them.
  private void oneByOne(List<Attached> targets, Throwable failure) {
    if (targets.size() == 1) {
      LOG.error("messages of {} cannot be sent", targets.getFirst().agent(), failure);
      return;
    }
    targets.forEach(target -> serve(List.of(target.agent())));
  }

  /// What goes out to one session.
  ///
  /// @param whole everything that its window holds; what the rows say is right then
  /// @param doubts of the session when its rows were looked at
  private record Pass(List<Letter> letters, boolean whole, long doubts) {}

  private void send(List<Attached> targets) {
    Map<Attached, Pass> passes = database.repeatable(tx -> write(tx, targets));
    passes.forEach(
        (target, pass) -> {
          if (pass.whole()) {
            target.settled(pass.doubts());
          }
          send(target, pass.letters());
        });
  }

  private Map<Attached, Pass> write(Tx tx, List<Attached> targets) {
    Map<Attached, Long> doubts =
        targets.stream().collect(Collectors.toMap(Function.identity(), Attached::doubts));
    List<Message> due = messages.due(tx, targets.stream().map(Attached::window).toList(), WINDOW);
    Map<String, List<Message>> byAgent =
        due.stream().collect(Collectors.groupingBy(Message::agent));
    var writer = new Letters(documents, tx, due, wipeOrders);
    var passes = new LinkedHashMap<Attached, Pass>();
    var given = new LinkedHashMap<MessageKey, Window>();
    var dropped = new ArrayList<Message>();
    Instant now = clock.instant();
    for (Attached target : targets) {
      List<Message> waiting = byAgent.getOrDefault(target.agent(), List.of());
      Pass pass = write(tx, writer, target, waiting, dropped, now, doubts.getOrDefault(target, 0L));
      pass.letters()
          .forEach(
              letter ->
                  given.put(new MessageKey(target.agent(), letter.sequence()), target.window()));
      passes.put(target, pass);
    }
    if (!given.isEmpty()) {
      messages.sent(tx, given, now);
    }
    if (!dropped.isEmpty()) {
      documents.superseded(tx, dropped);
    }
    return passes;
  }

  private Pass write(
      Tx tx,
      Letters writer,
      Attached target,
      List<Message> waiting,
      List<Message> dropped,
      Instant now,
      long doubts) {
    var letters = new ArrayList<Letter>();
    boolean whole = true;
    int bytes = 0;
    for (Message message : waiting) {
      boolean expired = message.expiresAt().filter(at -> !at.isAfter(now)).isPresent();
      if (expired || target.reads(message.sequence()) || isDropped(tx, target, message, dropped)) {
        continue;
      }
      switch (writer.write(message)) {
        case Written.Superseded _ -> drop(tx, message, "the newest head does not list it", dropped);
        // Instructions behind it need no head. It comes up again unless its row says it was given.
        case Written.Blocked _ -> whole = whole && !wasGiven(target, message);
        case Written.Ready(Letter letter) -> {
          bytes += letter.bytes() + (letters.isEmpty() ? headBytes(letter) : 0);
          if (!target.hasRoom(bytes, UNREAD_BYTES)) {
            return new Pass(letters, false, doubts);
          }
          letters.add(letter);
        }
      }
    }
    return new Pass(letters, whole, doubts);
  }

  private static boolean wasGiven(Attached target, Message message) {
    Window window = target.window();
    return message
        .sent()
        .filter(it -> it.slot() == window.slot() && it.epoch() == window.epoch())
        .isPresent();
  }

  /// What must not be sent leaves the queue, so that it does not stand in its way.
  private boolean isDropped(Tx tx, Attached target, Message message, List<Message> dropped) {
    if (!message.genuine()) {
      messages.take(tx, List.of(message.key()));
      ledger.tampered(tx, message);
      return true;
    }
    long generation = target.addressee().generation();
    if (message.generation() != generation) {
      drop(
          tx,
          message,
          "for generation " + message.generation() + " of the agent, which is now " + generation,
          dropped);
      return true;
    }
    return false;
  }

  private void drop(Tx tx, Message message, String why, List<Message> dropped) {
    if (!messages.take(tx, List.of(message.key())).isEmpty()) {
      ledger.superseded(tx, message, why);
      dropped.add(message);
    }
  }

  private static int headBytes(Letter letter) {
    return letter.headAhead().map(String::length).orElse(0);
  }

  private void send(Attached target, List<Letter> letters) {
    for (Letter letter : letters) {
      letter
          .headAhead()
          .filter(target::headIsNew)
          .ifPresent(head -> target.session().send(new ControlMessage.Head(head)));
      target.given(letter.sequence(), letter.bytes() + headBytes(letter));
      target.session().message(letter.sequence(), letter.body());
      counters.sent.increment();
    }
    if (!letters.isEmpty()) {
      failpoint.passed(Delivery.FAIL_AFTER_SENT);
    }
  }

  @Override
  public void close() {
    line.close();
  }
}
