package io.penstock.broker.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.penstock.codec.http.ChunkGate;
import io.penstock.codec.http.Framing;
import io.penstock.codec.http.HeadEnd;
import io.penstock.codec.http.HeadGate;
import io.penstock.codec.http.HeadLimits;
import io.penstock.codec.http.Refusal;
import io.penstock.codec.http.Verdict;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/// Netty's request decoder behind the gate of `io.penstock.codec.http`: no byte reaches Netty that
/// the gate has not accepted, and what Netty then reads must end where the gate said it ends. One
/// per connection, on its event loop.
///
/// Emits Netty's [HttpRequest] and [HttpContent] objects, and besides them
///
/// - [RefusedRequest] instead of a request. All further bytes are dropped; the edge answers and
/// closes.
/// - [HttpContent] with a failed decoder result, never a [LastHttpContent], when a body breaks off
/// or its framing is malformed. The request must be reset, never   ended; all further bytes are
/// dropped.
///
/// After a CONNECT or a request with Upgrade, bytes are held back: whoever takes the connection
/// over removes this handler and gets them; whoever refuses calls [#resume()] or closes.
@NullMarked
final class StrictRequestDecoder extends HttpRequestDecoder {

  /// Emitted in place of a request; the sentence is fixed and echoes nothing.
  record RefusedRequest(int status, String reason, Refusal refusal) {
    RefusedRequest(Refusal refusal) {
      this(refusal.status(), refusal.sentence(), refusal);
    }
  }

  private enum Phase {
    HEAD,
    BODY,
    CHUNKED_BODY,
    HELD,
    REFUSED
  }

  /// One frame's payload (protocol, "Frames").
  private static final int CONTENT_BYTES = 16 * 1024;

  /// What a caller may send before it knows that the protocol is switched.
  private static final int HELD_BYTES = 64 * 1024;

  private final HeadLimits limits;
  private final HeadEnd headEnd;
  private final ChunkGate chunks;

  private @Nullable ChannelHandlerContext context;
  private Phase phase = Phase.HEAD;
  private Framing framing = Framing.NONE;
  private boolean skippedEmptyLine;
  private boolean holdAfterMessage;
  private int followedBytes;

  StrictRequestDecoder(HeadLimits limits) {
    super(config(limits));
    this.limits = limits;
    this.headEnd = new HeadEnd(limits.headBytes());
    this.chunks = new ChunkGate(limits);
  }

  private static HttpDecoderConfig config(HeadLimits limits) {
    return new HttpDecoderConfig()
        .setMaxInitialLineLength(limits.headBytes())
        .setMaxHeaderSize(limits.headBytes() + limits.trailerBytes())
        .setMaxChunkSize(CONTENT_BYTES)
        .setValidateHeaders(true)
        .setStrictLineParsing(true)
        .setUseRfc9112TransferEncoding(true)
        .setAllowDuplicateContentLengths(false);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
  }

  /// The switch of protocols was refused with an answer that keeps the connection: bytes that were
  /// held, and all that follow, are requests again. On the event loop; without effect when nothing
  /// is held back.
  void resume() throws Exception {
    if (phase != Phase.HELD || context == null) {
      return;
    }
    expectHead();
    // An empty read makes Netty decode what it has kept.
    channelRead(context, Unpooled.EMPTY_BUFFER);
    channelReadComplete(context);
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    switch (phase) {
      case HEAD -> decodeHead(ctx, buffer, out);
      case BODY -> decodeBody(ctx, buffer, out);
      case CHUNKED_BODY -> decodeChunks(ctx, buffer, out);
      case HELD -> hold(buffer, out);
      case REFUSED -> buffer.skipBytes(buffer.readableBytes());
    }
  }

  private void decodeHead(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    skipEmptyLine(buffer);
    switch (headEnd.search(buffer)) {
      case INCOMPLETE -> {}
      case TOO_LARGE -> refuse(Refusal.HEAD_TOO_LARGE, buffer, out);
      case BARE_LINE_END -> refuse(Refusal.BARE_LINE_END, buffer, out);
      case COMPLETE -> judgeHead(ctx, buffer, out);
    }
  }

  /// RFC 9112 section 2.2: one empty line before a request is let pass, as old clients send it
  /// after a body.
  private void skipEmptyLine(ByteBuf buffer) {
    int at = buffer.readerIndex();
    if (skippedEmptyLine
        || buffer.readableBytes() < 2
        || buffer.getByte(at) != '\r'
        || buffer.getByte(at + 1) != '\n') {
      return;
    }
    buffer.skipBytes(2);
    skippedEmptyLine = true;
    headEnd.reset();
  }

  private void judgeHead(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    switch (HeadGate.request(buffer, buffer.readerIndex(), headEnd.length(), limits)) {
      case Verdict.Refused(Refusal refusal) -> refuse(refusal, buffer, out);
      case Verdict.Accepted(Framing accepted) -> parseHead(ctx, buffer, out, accepted);
    }
  }

  private void parseHead(
      ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out, Framing accepted)
      throws Exception {
    framing = accepted;
    int first = out.size();
    int end = buffer.readerIndex() + headEnd.length();
    super.decode(ctx, buffer, out);
    if (buffer.readerIndex() != end || !agrees(out, first)) {
      discard(out, first);
      refuse(Refusal.PARSERS_DISAGREE, buffer, out);
      return;
    }
    holdAfterMessage = out.get(first) instanceof HttpRequest request && mayLeaveHttp(request);
    startBody();
  }

  /// Netty read a whole request, and ended it at once exactly if the gate saw no body.
  private boolean agrees(List<Object> out, int first) {
    if (out.size() == first
        || !(out.get(first) instanceof HttpRequest request)
        || request.decoderResult().isFailure()) {
      return false;
    }
    boolean ended = out.getLast() instanceof LastHttpContent;
    return ended == framing instanceof Framing.None;
  }

  private static boolean mayLeaveHttp(HttpRequest request) {
    return request.method().equals(HttpMethod.CONNECT)
        || request.headers().contains(HttpHeaderNames.UPGRADE);
  }

  private void startBody() {
    switch (framing) {
      case Framing.None _ -> endMessage();
      case Framing.Length _ -> phase = Phase.BODY;
      case Framing.Chunked _ -> {
        chunks.reset();
        followedBytes = 0;
        phase = Phase.CHUNKED_BODY;
      }
      case Framing.UntilClose _ ->
          throw new IllegalStateException("a request never ends with its connection");
    }
  }

  private void decodeBody(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    int first = out.size();
    super.decode(ctx, buffer, out);
    if (hasEnded(out, first)) {
      endMessage();
    }
  }

  private void decodeChunks(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    int from = buffer.readerIndex();
    followedBytes = chunks.follow(buffer, from + followedBytes, buffer.writerIndex()) - from;
    if (chunks.fault().isPresent()) {
      breakOff(chunks.fault().get(), buffer, out);
      return;
    }
    int first = out.size();
    super.decode(ctx, buffer, out);
    followedBytes -= buffer.readerIndex() - from;
    boolean ended = hasEnded(out, first);
    if (followedBytes < 0 || ended != (chunks.isDone() && followedBytes == 0)) {
      discard(out, first);
      breakOff(Refusal.PARSERS_DISAGREE, buffer, out);
    } else if (ended) {
      endMessage();
    }
  }

  private static boolean hasEnded(List<Object> out, int first) {
    return out.size() > first
        && out.getLast() instanceof LastHttpContent last
        && last.decoderResult().isSuccess();
  }

  private void endMessage() {
    if (holdAfterMessage) {
      phase = Phase.HELD;
    } else {
      expectHead();
    }
  }

  private void expectHead() {
    phase = Phase.HEAD;
    skippedEmptyLine = false;
    headEnd.reset();
  }

  private void hold(ByteBuf buffer, List<Object> out) {
    if (buffer.readableBytes() > HELD_BYTES) {
      refuse(Refusal.BODY_WITHOUT_MEANING, buffer, out);
    }
  }

  private void refuse(Refusal refusal, ByteBuf buffer, List<Object> out) {
    phase = Phase.REFUSED;
    buffer.skipBytes(buffer.readableBytes());
    out.add(new RefusedRequest(refusal));
  }

  private void breakOff(Refusal refusal, ByteBuf buffer, List<Object> out) {
    phase = Phase.REFUSED;
    buffer.skipBytes(buffer.readableBytes());
    HttpContent broken = new DefaultHttpContent(Unpooled.EMPTY_BUFFER);
    broken.setDecoderResult(DecoderResult.failure(new DecoderException(refusal.sentence())));
    out.add(broken);
  }

  private static void discard(List<Object> out, int first) {
    while (out.size() > first) {
      ReferenceCountUtil.release(out.removeLast());
    }
  }

  @Override
  protected void decodeLast(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    super.decodeLast(ctx, buffer, out);
    if (phase == Phase.BODY || phase == Phase.CHUNKED_BODY) {
      breakOff(Refusal.CLOSED_WITHIN_BODY, buffer, out);
    }
  }

  /// Netty would give a GET with fields of an old WebSocket draft an eight-byte body; here the gate
  /// alone decides.
  @Override
  protected boolean isContentAlwaysEmpty(HttpMessage message) {
    return framing instanceof Framing.None;
  }

  /// Netty's reset forgets an unfinished body and takes what is left of it for the next message.
  ///
  /// @throws UnsupportedOperationException always
  @Override
  public void reset() {
    throw new UnsupportedOperationException("the gate decides where a message ends");
  }
}
