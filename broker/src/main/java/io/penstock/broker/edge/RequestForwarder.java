package io.penstock.broker.edge;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.LastHttpContent;
import io.penstock.codec.Fields;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// The body of one request on its way to the stream: waits until there is one, then follows its
/// pace. On the connection's event loop.
///
/// [#wantsMore] bounds what is held: the connection stops reading above the window, so at most one
/// read's bytes come on top.
///
/// Until the answer begins, the first bytes are kept, so that a stream that was refused untouched
/// can be replaced by another.
final class RequestForwarder {
  private static final int WINDOW_BYTES = 32 * 1024;
  private static final int REPLAY_BYTES = 32 * 1024;

  private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>(2);
  private final ArrayDeque<ByteBuf> replay = new ArrayDeque<>(2);
  private final boolean empty;

  private @Nullable StreamLeg leg;
  private @Nullable Fields trailers;
  private int waitingBytes;
  private int untakenBytes;
  private int replayBytes;
  private boolean replayable = true;
  private boolean begun;
  private boolean ended;
  private boolean endSent;
  private boolean discarding;
  private long bytesIn;

  /// @param empty OPEN says already that no body follows
  RequestForwarder(boolean empty) {
    this.empty = empty;
  }

  /// Takes ownership of `content`.
  void content(HttpContent content) {
    ByteBuf bytes = content.content();
    bytesIn += bytes.readableBytes();
    if (content instanceof LastHttpContent last) {
      ended = true;
      if (!last.trailingHeaders().isEmpty()) {
        trailers = RequestFields.ofTrailers(last.trailingHeaders());
      }
    }
    if (discarding || empty || !bytes.isReadable()) {
      content.release();
    } else {
      waiting.add(bytes);
      waitingBytes += bytes.readableBytes();
    }
    forward();
  }

  /// The stream stands. On another attempt what the first got goes first.
  void attach(StreamLeg opened) {
    leg = opened;
    forward();
  }

  /// The stream is gone; another may follow if [#isReplayable].
  void detach() {
    leg = null;
    endSent = false;
    untakenBytes = 0;
    while (!replay.isEmpty()) {
      ByteBuf last = replay.removeLast();
      waiting.addFirst(last);
      waitingBytes += last.readableBytes();
    }
    replayBytes = 0;
  }

  /// The answer has begun: nothing is ever sent again.
  void commit() {
    replayable = false;
    dropReplay();
  }

  /// Whatever still comes is dropped.
  void discard() {
    discarding = true;
    leg = null;
    commit();
    waiting.forEach(ByteBuf::release);
    waiting.clear();
    waitingBytes = 0;
    untakenBytes = 0;
  }

  /// The stream has room for what it got.
  void taken(int bytes) {
    untakenBytes -= bytes;
  }

  boolean wantsMore() {
    return discarding || ended || waitingBytes + untakenBytes < WINDOW_BYTES;
  }

  /// Some of the body was handed to a stream.
  boolean begun() {
    return begun;
  }

  /// Everything handed over so far could be handed over again.
  boolean isReplayable() {
    return replayable;
  }

  /// The caller has sent all of its request.
  boolean ended() {
    return ended;
  }

  long bytesIn() {
    return bytesIn;
  }

  private void forward() {
    StreamLeg to = leg;
    if (to == null || discarding) {
      return;
    }
    while (!waiting.isEmpty()) {
      hand(to, waiting.remove());
    }
    if (ended && !endSent) {
      endSent = true;
      handEnd(to);
    }
  }

  private void hand(StreamLeg to, ByteBuf bytes) {
    int length = bytes.readableBytes();
    waitingBytes -= length;
    untakenBytes += length;
    begun = true;
    keepForReplay(bytes, length);
    to.send(bytes);
  }

  private void handEnd(StreamLeg to) {
    if (trailers != null && trailers.count() > 0) {
      to.sendTrailers(trailers);
    } else if (!empty) {
      to.sendEnd();
    }
  }

  private void keepForReplay(ByteBuf bytes, int length) {
    if (!replayable) {
      return;
    }
    if (replayBytes + length > REPLAY_BYTES) {
      replayable = false;
      dropReplay();
      return;
    }
    replayBytes += length;
    replay.add(bytes.retainedDuplicate());
  }

  private void dropReplay() {
    replay.forEach(ByteBuf::release);
    replay.clear();
    replayBytes = 0;
  }
}
