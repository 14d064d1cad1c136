package io.penstock.broker.delivery;

import io.penstock.broker.store.MessageTable.Window;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.message.DeliveryReceipt;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What delivery keeps of one live session.
final class Attached {
  /// Receipts of one session that may wait: an agent has at most a window of messages to answer,
  /// and once more after it was asked again.
  static final int MAX_RECEIPTS = 2 * Sender.WINDOW;

  /// An agent that starts while the database is away proves as many systems as it has.
  static final int MAX_UNASKED_RECEIPTS = 1_024;

  /// A thousand refusals with long details, each by itself.
  static final int MAX_RECEIPT_BYTES = 2 * 1024 * 1024;

  private final LiveSession session;
  private final AtomicInteger receiptBytes = new AtomicInteger();
  private final AtomicInteger receipts = new AtomicInteger();
  private final AtomicInteger unaskedReceipts = new AtomicInteger();

  // Guarded by this.
  private final TreeMap<Long, Integer> unread = new TreeMap<>();
  private long unreadBytes;
  private long highest;
  private long doubts;
  private long settled;
  private @Nullable String headTold;

  Attached(LiveSession session) {
    this.session = session;
  }

  LiveSession session() {
    return session;
  }

  String agent() {
    return session.admission().agent();
  }

  Addressee addressee() {
    return new Addressee(session.admission().agent(), session.admission().generation());
  }

  // What it was given.

  /// The next look at its window.
  synchronized Window window() {
    Admission admission = session.admission();
    return new Window(
        admission.agent(), admission.slot(), admission.sessionEpoch(), doubts > settled);
  }

  /// What the rows say about this session may be wrong.
  synchronized void doubt() {
    doubts++;
  }

  /// How often it was doubted so far.
  synchronized long doubts() {
    return doubts;
  }

  /// A whole look that began at that number of doubts has put the rows right; what came up since is
  /// still open.
  synchronized void settled(long doubtsBefore) {
    settled = Math.max(settled, doubtsBefore);
  }

  synchronized boolean hasRoom(int bytes, long budget) {
    return unread.isEmpty() || unreadBytes + bytes <= budget;
  }

  synchronized void given(long sequence, int bytes) {
    highest = Math.max(highest, sequence);
    Integer before = unread.put(sequence, bytes);
    unreadBytes += bytes - (before == null ? 0 : before);
  }

  /// Messages arrive in order: an answer tells that everything up to it was read.
  synchronized void answered(long sequence) {
    var read = unread.headMap(sequence, true);
    unreadBytes -= read.values().stream().mapToLong(Integer::longValue).sum();
    read.clear();
  }

  /// Was it given this one, and has not answered it or a later one?
  synchronized boolean reads(long sequence) {
    return unread.containsKey(sequence);
  }

  /// Was it ever given this one?
  synchronized boolean knows(long sequence) {
    return sequence >= 1 && sequence <= highest;
  }

  /// Whether this head has to go ahead; the same one goes once.
  synchronized boolean headIsNew(String head) {
    boolean fresh = !head.equals(headTold);
    headTold = head;
    return fresh;
  }

  // Its receipts.

  /// False when too many wait; those of no message are counted by themselves.
  boolean receiptCame(long sequence, int bytes) {
    int now = waiting(sequence).incrementAndGet();
    int bytesNow = receiptBytes.addAndGet(bytes);
    boolean fits = now <= most(sequence) && bytesNow <= MAX_RECEIPT_BYTES;
    if (!fits) {
      receiptDone(sequence, bytes);
    }
    return fits;
  }

  void receiptDone(long sequence, int bytes) {
    waiting(sequence).decrementAndGet();
    receiptBytes.addAndGet(-bytes);
  }

  private AtomicInteger waiting(long sequence) {
    return sequence == DeliveryReceipt.NO_MESSAGE ? unaskedReceipts : receipts;
  }

  private static int most(long sequence) {
    return sequence == DeliveryReceipt.NO_MESSAGE ? MAX_UNASKED_RECEIPTS : MAX_RECEIPTS;
  }
}
