package io.penstock.broker.edge;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.penstock.broker.edge.StrictRequestDecoder.RefusedRequest;
import io.penstock.codec.http.HeadLimits;
import java.util.ArrayList;
import java.util.List;

/// What the decoder made of one connection's bytes, in a form that does not depend on how they were
/// cut into reads.
final class StrictTranscript {

  /// One request that was read to its end, as `bytes[start, end)` of the connection, or a last one
  /// that still waits for bytes (`end` is -1).
  record Accepted(
      String method,
      String target,
      String host,
      String framing,
      int start,
      int end,
      long bodyBytes) {}

  private final List<Accepted> accepted = new ArrayList<>();
  private final EmbeddedChannel channel =
      new EmbeddedChannel(new StrictRequestDecoder(HeadLimits.DEFAULT));

  private Accepted open = none(0);
  private boolean isOpen;
  private String fault = "";
  private int fed;

  private StrictTranscript() {}

  /// Byte by byte, so that the place where a request ends is known exactly.
  static StrictTranscript ofSingleBytes(byte[] bytes) {
    StrictTranscript transcript = new StrictTranscript();
    for (int i = 0; i < bytes.length; i++) {
      transcript.feed(bytes, i, i + 1);
    }
    return transcript.close();
  }

  /// In two reads.
  static StrictTranscript ofSplit(byte[] bytes, int at) {
    StrictTranscript transcript = new StrictTranscript();
    transcript.feed(bytes, 0, at);
    transcript.feed(bytes, at, bytes.length);
    return transcript.close();
  }

  List<Accepted> accepted() {
    return accepted;
  }

  boolean isRefused() {
    return !fault.isEmpty();
  }

  /// One line: the requests read, then what ended the reading.
  String verdict() {
    List<String> parts = new ArrayList<>();
    for (Accepted request : accepted) {
      parts.add(describe(request));
    }
    if (isRefused()) {
      parts.add(fault);
    } else if (parts.isEmpty()) {
      parts.add("waits for the head's end");
    }
    return String.join(" | ", parts);
  }

  private String describe(Accepted request) {
    // How much of a body is passed on before its fault is met depends on the reads.
    String body = request.end < 0 && isRefused() ? "" : " body=" + request.bodyBytes;
    String end = request.end < 0 ? " unfinished" : "";
    return "accept " + request.method + " " + request.target + " " + request.framing + body + end;
  }

  private void feed(byte[] bytes, int from, int to) {
    if (from == to) {
      return;
    }
    fed = to;
    channel.writeInbound(Unpooled.copiedBuffer(bytes, from, to - from));
    for (Object message = channel.readInbound(); message != null; message = channel.readInbound()) {
      note(message);
      ReferenceCountUtil.release(message);
    }
  }

  private void note(Object message) {
    switch (message) {
      case RefusedRequest refused -> fault = "refuse " + refused.status() + " " + refused.refusal();
      case HttpRequest request -> begin(request);
      case HttpContent content when content.decoderResult().isFailure() ->
          fault = "break off: " + content.decoderResult().cause().getMessage();
      case HttpContent content -> continueBody(content);
      default -> throw new AssertionError("unexpected " + message);
    }
  }

  private void begin(HttpRequest request) {
    int start = accepted.isEmpty() ? 0 : accepted.getLast().end;
    String host = String.join(",", request.headers().getAll("host"));
    open =
        new Accepted(request.method().name(), request.uri(), host, framing(request), start, -1, 0);
    isOpen = true;
  }

  private static String framing(HttpRequest request) {
    if (HttpUtil.isTransferEncodingChunked(request)) {
      return "chunked";
    }
    return HttpUtil.isContentLengthSet(request)
        ? "length=" + HttpUtil.getContentLength(request)
        : "none";
  }

  private void continueBody(HttpContent content) {
    boolean ended = content instanceof LastHttpContent;
    long bodyBytes = open.bodyBytes + content.content().readableBytes();
    open =
        new Accepted(
            open.method,
            open.target,
            open.host,
            open.framing,
            open.start,
            ended ? fed : -1,
            bodyBytes);
    if (ended) {
      accepted.add(open);
      isOpen = false;
    }
  }

  private StrictTranscript close() {
    if (isOpen) {
      accepted.add(open);
    }
    channel.finishAndReleaseAll();
    return this;
  }

  private static Accepted none(int start) {
    return new Accepted("", "", "", "", start, -1, 0);
  }
}
