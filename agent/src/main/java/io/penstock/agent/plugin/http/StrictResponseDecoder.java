package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.penstock.codec.http.Asked;
import io.penstock.codec.http.ChunkGate;
import io.penstock.codec.http.Framing;
import io.penstock.codec.http.HeadEnd;
import io.penstock.codec.http.HeadGate;
import io.penstock.codec.http.HeadLimits;
import io.penstock.codec.http.Refusal;
import io.penstock.codec.http.Verdict;
import java.util.List;
import org.jspecify.annotations.NullMarked;

/// Netty's response decoder behind the gate of `io.penstock.codec.http`: what a system answers is
/// held to the same rules as what a caller asks. One per connection to a system, on its event loop;
/// requests are never pipelined, and each is announced with [#expect].
///
/// Emits Netty's [HttpResponse] and [HttpContent] objects, interim answers included, and besides
/// them
///
/// - [RefusedResponse] instead of an answer. All further bytes are dropped; the caller gets a 502
/// and the connection is closed.
/// - [HttpContent] with a failed decoder result, never a [LastHttpContent], when a body breaks off
/// or its framing is malformed. The answer must be reset,   never ended; all further bytes are
/// dropped.
/// - [ByteBuf] after a 101 or a successful CONNECT, until this handler is removed.
@NullMarked
final class StrictResponseDecoder extends HttpResponseDecoder {

  /// Emitted in place of an answer; the sentence is fixed and echoes nothing.
  record RefusedResponse(String reason, Refusal refusal) {
    RefusedResponse(Refusal refusal) {
      this(refusal.sentence(), refusal);
    }
  }

  private enum Phase {
    IDLE,
    HEAD,
    BODY,
    CHUNKED_BODY,
    SWITCHED,
    REFUSED
  }

  /// One frame's payload (protocol, "Frames").
  private static final int CONTENT_BYTES = 16 * 1024;

  private static final int MAX_INTERIM_ANSWERS = 16;

  private final HeadLimits limits;
  private final HeadEnd headEnd;
  private final ChunkGate chunks;

  private Phase phase = Phase.IDLE;
  private Asked asked = Asked.ORDINARY;
  private Framing framing = Framing.NONE;
  private int interimAnswers;
  private int followedBytes;
  private boolean begun;

  StrictResponseDecoder(HeadLimits limits) {
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

  /// The next answer belongs to this request. Called before the request is written, and only once
  /// the answer before it has ended.
  ///
  /// @throws IllegalStateException if an answer is still awaited or the connection is of no further
  /// use
  void expect(HttpMethod method, boolean offersUpgrade) {
    if (phase != Phase.IDLE) {
      throw new IllegalStateException("a request was announced while the connection is " + phase);
    }
    asked = asked(method, offersUpgrade);
    interimAnswers = 0;
    begun = false;
    expectHead();
  }

  private static Asked asked(HttpMethod method, boolean offersUpgrade) {
    if (method.equals(HttpMethod.HEAD)) {
      return Asked.HEAD;
    }
    if (method.equals(HttpMethod.CONNECT)) {
      return Asked.CONNECT;
    }
    return offersUpgrade ? Asked.UPGRADE : Asked.ORDINARY;
  }

  /// Whether another request may be announced on this connection.
  boolean isIdle() {
    return phase == Phase.IDLE;
  }

  /// Whether any byte came since the last request was announced.
  boolean hasBegun() {
    return begun;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    begun = true;
    switch (phase) {
      case IDLE -> refuse(Refusal.UNSOLICITED_ANSWER, buffer, out);
      case HEAD -> decodeHead(ctx, buffer, out);
      case BODY -> decodeBody(ctx, buffer, out);
      case CHUNKED_BODY -> decodeChunks(ctx, buffer, out);
      case SWITCHED -> out.add(buffer.readRetainedSlice(buffer.readableBytes()));
      case REFUSED -> buffer.skipBytes(buffer.readableBytes());
    }
  }

  private void decodeHead(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    switch (headEnd.search(buffer)) {
      case INCOMPLETE -> {}
      case TOO_LARGE -> refuse(Refusal.HEAD_TOO_LARGE, buffer, out);
      case BARE_LINE_END -> refuse(Refusal.BARE_LINE_END, buffer, out);
      case COMPLETE -> judgeHead(ctx, buffer, out);
    }
  }

  private void judgeHead(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    switch (HeadGate.response(buffer, buffer.readerIndex(), headEnd.length(), asked, limits)) {
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
    int status = ((HttpResponse) out.get(first)).status().code();
    if (isInterim(status) && ++interimAnswers > MAX_INTERIM_ANSWERS) {
      discard(out, first);
      refuse(Refusal.TOO_MANY_INTERIM_ANSWERS, buffer, out);
      return;
    }
    startBody(status);
  }

  /// Netty read a whole answer, and ended it at once exactly if the gate saw no body.
  private boolean agrees(List<Object> out, int first) {
    if (out.size() == first
        || !(out.get(first) instanceof HttpResponse response)
        || response.decoderResult().isFailure()) {
      return false;
    }
    boolean ended = out.getLast() instanceof LastHttpContent;
    return ended == framing instanceof Framing.None;
  }

  private void startBody(int status) {
    switch (framing) {
      case Framing.None _ -> endBodilessAnswer(status);
      case Framing.Length _, Framing.UntilClose _ -> phase = Phase.BODY;
      case Framing.Chunked _ -> {
        chunks.reset();
        followedBytes = 0;
        phase = Phase.CHUNKED_BODY;
      }
    }
  }

  private void endBodilessAnswer(int status) {
    if (isInterim(status)) {
      expectHead();
    } else if (status == 101 || (asked == Asked.CONNECT && status < 300)) {
      phase = Phase.SWITCHED;
    } else {
      phase = Phase.IDLE;
    }
  }

  private static boolean isInterim(int status) {
    return status < 200 && status != 101;
  }

  private void expectHead() {
    phase = Phase.HEAD;
    headEnd.reset();
  }

  private void decodeBody(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    int first = out.size();
    super.decode(ctx, buffer, out);
    if (hasEnded(out, first)) {
      phase = Phase.IDLE;
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
      phase = Phase.IDLE;
    }
  }

  private static boolean hasEnded(List<Object> out, int first) {
    return out.size() > first
        && out.getLast() instanceof LastHttpContent last
        && last.decoderResult().isSuccess();
  }

  private void refuse(Refusal refusal, ByteBuf buffer, List<Object> out) {
    phase = Phase.REFUSED;
    buffer.skipBytes(buffer.readableBytes());
    out.add(new RefusedResponse(refusal));
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

  /// Netty ends a body that only the close delimits; any other that is still open here was cut.
  @Override
  protected void decodeLast(ChannelHandlerContext ctx, ByteBuf buffer, List<Object> out)
      throws Exception {
    int first = out.size();
    super.decodeLast(ctx, buffer, out);
    if (framing instanceof Framing.UntilClose && hasEnded(out, first)) {
      phase = Phase.REFUSED;
    } else if (phase == Phase.BODY || phase == Phase.CHUNKED_BODY) {
      breakOff(Refusal.CLOSED_WITHIN_BODY, buffer, out);
    }
  }

  /// The gate knows the request's method and has decided; Netty does not know it.
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
