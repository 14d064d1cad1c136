package io.penstock.codec.mux;

import io.penstock.codec.Protocol;

/// How much the peer may still send on one stream, and how much more to grant (`docs/protocol.md`,
/// section 5, "Flow control").
///
/// Every byte of `window` is in one of three places: `outstanding` (the peer may send it), buffered
/// (here, its reader has not passed it on) or `returnable` (passed on,
/// not granted again yet). The window grows only for a reader that keeps up, when the sender is the
/// one that waits.
final class ReceiveCredit {
  private final CreditPool pool;
  private int window = Protocol.INITIAL_CREDIT_BYTES;
  private int outstanding = Protocol.INITIAL_CREDIT_BYTES;
  private int returnable;
  private boolean wanted;

  ReceiveCredit(CreditPool pool) {
    this.pool = pool;
  }

  /// False when the peer sent more than it may.
  boolean received(int bytes) {
    outstanding -= bytes;
    return outstanding >= 0;
  }

  /// The reader passed `bytes` on. Returns the credit to grant now, 0 = none yet.
  int consumed(int bytes) {
    returnable += bytes;
    if (returnable > window - outstanding) {
      throw new IllegalStateException(
          "expected at most " + (window - outstanding) + " bytes consumed, found " + returnable);
    }
    if (returnable < window / 2) {
      return 0;
    }
    int grant = returnable + growth();
    returnable = 0;
    outstanding += grant;
    return grant;
  }

  private int growth() {
    int buffered = window - outstanding - returnable;
    boolean readerKeepsUp = buffered <= window / 4;
    if (!wanted || !readerKeepsUp || window >= Protocol.MAX_CREDIT_BYTES || !pool.take(window)) {
      return 0;
    }
    wanted = false;
    int grown = window;
    window *= 2;
    return grown;
  }

  /// The sender has said that it has more than its credit allows.
  void wanted() {
    wanted = true;
  }

  /// Bytes that arrived and were not consumed.
  int buffered() {
    return window - outstanding - returnable;
  }

  /// The stream is over: what was borrowed goes back.
  void close() {
    pool.giveBack(window - Protocol.INITIAL_CREDIT_BYTES);
    window = Protocol.INITIAL_CREDIT_BYTES;
  }
}
