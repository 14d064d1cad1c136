package io.penstock.agent.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.io.ByteArrayOutputStream;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Reads the answer to a `configuration-request` (`docs/protocol.md`, section 5). On the
/// event loop.
final class DocumentFetch implements StreamListener {
  private static final int OK = 200;
  private static final int NOT_FOUND = 404;

  private final CompletableFuture<Optional<ConfigurationDocument>> answer;
  private final ByteArrayOutputStream document = new ByteArrayOutputStream();
  private @Nullable MuxStream stream;

  DocumentFetch(CompletableFuture<Optional<ConfigurationDocument>> answer) {
    this.answer = answer;
  }

  void on(MuxStream opened) {
    stream = opened;
  }

  /// Nobody waits for it any longer.
  void giveUp() {
    if (stream != null) {
      stream.reset(ErrorCode.CANCELLED, false, "nobody waits for it");
    }
  }

  @Override
  public void onHead(ByteBuf head, boolean end) {
    try {
      int status = AnswerHead.read(head).status();
      if (status == NOT_FOUND && end) {
        answer.complete(Optional.empty());
      } else if (status != OK || end) {
        fail("expected HEAD 200 and a document, or HEAD 404, found " + status);
      }
    } catch (ProtocolException malformed) {
      fail(String.valueOf(malformed.getMessage()));
    }
  }

  @Override
  public void onData(ByteBuf data, boolean end) {
    int length = data.readableBytes();
    if (document.size() + length > ConfigurationDocument.MAX_BYTES) {
      fail("expected at most " + ConfigurationDocument.MAX_BYTES + " bytes of a document");
      return;
    }
    document.writeBytes(ByteBufUtil.getBytes(data));
    if (stream != null) {
      stream.consumed(length);
    }
    if (end) {
      decode();
    }
  }

  private void decode() {
    try {
      answer.complete(Optional.of(Messages.decodeDocument(document.toByteArray())));
    } catch (ProtocolException malformed) {
      fail(String.valueOf(malformed.getMessage()));
    }
  }

  private void fail(String why) {
    answer.completeExceptionally(LinkFailure.at(Stage.SESSION, why));
    giveUp();
  }

  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    answer.completeExceptionally(
        LinkFailure.at(Stage.SESSION, "the stream of the document was reset with " + code));
  }
}
