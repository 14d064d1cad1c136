package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/// A small body as text; a larger one is answered 413.
final class Collected implements RequestBody {
  private static final int MAX_BYTES = 1 << 20;

  private final Exchange exchange;
  private final Consumer<String> whenComplete;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private boolean tooLarge;

  Collected(Exchange exchange, Consumer<String> whenComplete) {
    this.exchange = exchange;
    this.whenComplete = whenComplete;
  }

  @Override
  public void data(ByteBuf piece) {
    tooLarge |= bytes.size() + piece.readableBytes() > MAX_BYTES;
    if (tooLarge) {
      return;
    }
    try {
      piece.readBytes(bytes, piece.readableBytes());
    } catch (IOException impossible) {
      throw new IllegalStateException("an array takes all", impossible);
    }
  }

  @Override
  public void end() {
    if (tooLarge) {
      exchange.json(413, "{\"error\":\"at most " + MAX_BYTES + " bytes\"}");
      return;
    }
    whenComplete.accept(bytes.toString(StandardCharsets.UTF_8));
  }
}
