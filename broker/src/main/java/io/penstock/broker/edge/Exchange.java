package io.penstock.broker.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AsciiString;
import io.penstock.broker.front.Peer;
import io.penstock.broker.routing.Route;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.RequestHead;
import io.penstock.codec.RequestIds;
import io.penstock.codec.StreamKind;
import io.penstock.codec.http.InvocationPath;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One request and its answer, on the event loop of the caller's connection: authenticate, find the
/// route, open a stream, carry both bodies, and end in exactly one way.
///
/// ```
///  ADMISSION ─▶ ROUTING ─▶ OPENING ─▶ OPEN ─▶ ANSWERING ─▶ DELIVERING ─▶ OVER
///                  ▲          │         │          │                      ▲
///                  └── retry ─┴─────────┤          └─ cut: the connection ┤
///                                       └─ a problem document ────────────┘
/// ```
///
/// Invariants: nothing of the system's answer is written before ANSWERING, and from then on an
/// error is never a document but a cut connection; `leg` is the only stream that is heard; the
/// observer hears of the end once.
final class Exchange implements AnswerWriter.Delivery {

  private enum State {
    ADMISSION,
    ROUTING,
    OPENING,
    OPEN,
    ANSWERING,
    DELIVERING,
    OVER
  }

  private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

  /// A rest of a request up to this is read and dropped, so that its connection can go on.
  private static final long SKIPPED_BODY_BYTES = 64 * 1024;

  private static final int MAX_TIMEOUT_DIGITS = 9;

  private final InvocationEdge edge;
  private final InvocationHandler connection;
  private final ChannelHandlerContext ctx;
  private final HttpRequest request;
  private final RequestIds ids;
  private final HopClock clock;
  private final long contentLength;
  private final RequestForwarder body;
  private final AnswerWriter answer;

  private State state = State.ADMISSION;
  private ExchangeDeadlines deadlines;
  private boolean keepAlive;
  private boolean mayContinue;
  private boolean spentAuthorization;
  private @Nullable Caller caller;
  private @Nullable InvocationTarget target;

  // Attempts.
  private List<LiveSession> candidates = List.of();
  private int nextCandidate;
  private int attempts;
  private boolean sawFullSession;
  private long waitUntilNanos;
  private boolean waited;
  private @Nullable LiveSession failedSession;
  private @Nullable InvocationProblem failure;
  private boolean failureMayPass;
  private @Nullable StreamLeg leg;
  private String agent = "";

  // Answer.
  private @Nullable AnswerFraming framing;
  private int status;
  private String verdict = InvocationRecord.OK;
  private boolean began;

  Exchange(
      InvocationEdge edge,
      InvocationHandler connection,
      ChannelHandlerContext ctx,
      HttpRequest request,
      RequestIds ids) {
    this.edge = edge;
    this.connection = connection;
    this.ctx = ctx;
    this.request = request;
    this.ids = ids;
    clock = new HopClock(now());
    deadlines = new ExchangeDeadlines(edge.settings().deadlines(), clock.arrivedNanos());
    boolean chunked = HttpUtil.isTransferEncodingChunked(request);
    contentLength = chunked ? Long.MAX_VALUE : HttpUtil.getContentLength(request, 0L);
    body = new RequestForwarder(contentLength == 0);
    answer = new AnswerWriter(ctx, this);
    keepAlive = HttpUtil.isKeepAlive(request);
    mayContinue = contentLength > 0 && HttpUtil.is100ContinueExpected(request);
  }

  // Admission.

  void start() {
    watch();
    if (request.headers().contains(HttpHeaderNames.UPGRADE)) {
      // What follows on this connection may already be the other protocol.
      keepAlive = false;
      fail(InvocationProblem.notImplemented());
      return;
    }
    CallerGate gate = CallerGate.read(request.headers());
    spentAuthorization = gate.spentAuthorization();
    if (gate.token().isEmpty()) {
      fail(InvocationProblem.unauthorized("A bearer token is needed."));
      return;
    }
    BearerToken token = gate.token().get();
    Optional<Caller> known = edge.callers().cached(token);
    if (known.isPresent()) {
      admit(known.get());
    } else {
      authenticate(token);
    }
  }

  private void authenticate(BearerToken token) {
    edge.callers()
        .authenticate(token, new InetSocketAddress(Peer.clientOf(ctx.channel()), 0))
        .whenComplete(
            (verdictOfToken, broken) -> onLoop(() -> authenticated(verdictOfToken, broken)));
  }

  private void authenticated(@Nullable CallerVerdict found, @Nullable Throwable broken) {
    if (state != State.ADMISSION) {
      return;
    }
    if (found == null) {
      LOG.error("authentication failed to give a verdict", broken);
      fail(InvocationProblem.overloaded("Callers cannot be authenticated at the moment."));
      return;
    }
    switch (found) {
      case CallerVerdict.Known it -> admit(it.caller());
      case CallerVerdict.Unknown _ ->
          fail(InvocationProblem.unauthorized("The token is not valid."));
      case CallerVerdict.Limited it -> fail(InvocationProblem.rateLimited(it.retryAfterSeconds()));
      case CallerVerdict.Unavailable _ ->
          fail(InvocationProblem.overloaded("Callers cannot be authenticated at the moment."));
    }
  }

  private void admit(Caller known) {
    caller = known;
    String originForm = InvocationPath.originForm(request.uri());
    if (!edge.targets().isClean(originForm)) {
      fail(InvocationProblem.badRequest("The path has more than one reading."));
      return;
    }
    Optional<InvocationTarget> named = InvocationTarget.parse(originForm);
    if (named.isEmpty()) {
      fail(InvocationProblem.unknownTarget());
      return;
    }
    target = named.get();
    if (!known.mayInvoke(target.site(), target.system())) {
      fail(InvocationProblem.forbidden());
      return;
    }
    int wait = edge.rateLimit().secondsToWait(known, target.site(), target.system());
    if (wait > 0) {
      fail(InvocationProblem.rateLimited(wait));
      return;
    }
    limitTime();
  }

  /// `Penstock-Timeout-Ms` lowers the total, never raises it.
  private void limitTime() {
    String text = request.headers().get(OwnFields.TIMEOUT_MS);
    if (text != null) {
      int timeoutMs = positive(text);
      if (timeoutMs == 0) {
        fail(
            InvocationProblem.badRequest(
                "Penstock-Timeout-Ms is not a positive number of milliseconds."));
        return;
      }
      Deadlines lowered = edge.settings().deadlines().atMost(new Deadlines(0, 0, 0, timeoutMs));
      deadlines = new ExchangeDeadlines(lowered, clock.arrivedNanos());
      if (body.ended()) {
        deadlines.requestEnded(now());
      }
      watch();
    }
    began = true;
    edge.observer().began();
    route();
  }

  /// 0 = not a number that counts.
  private static int positive(String digits) {
    if (digits.isEmpty() || digits.length() > MAX_TIMEOUT_DIGITS) {
      return 0;
    }
    for (int i = 0; i < digits.length(); i++) {
      if (digits.charAt(i) < '0' || digits.charAt(i) > '9') {
        return 0;
      }
    }
    return Integer.parseInt(digits);
  }

  // Routing and attempts.

  private void route() {
    state = State.ROUTING;
    switch (findRoute()) {
      case Route.Via it -> tryAll(it.sessions());
      case Route.Unknown _ -> fail(InvocationProblem.unknownTarget());
      case Route.NotExposed _ -> fail(InvocationProblem.notExposed());
      case Route.Offline it when it.reconnecting() -> awaitAgent();
      case Route.Offline _ -> failOffline();
    }
  }

  private Route findRoute() {
    InvocationTarget to = target();
    return edge.routing().find(to.site(), to.system(), request.method().name(), to.path());
  }

  private void tryAll(List<LiveSession> sessions) {
    candidates = sessions;
    nextCandidate = 0;
    tryNext();
  }

  /// A call that arrives while a known agent is reconnecting waits for it, a little.
  private void awaitAgent() {
    Optional<CompletionStage<Void>> change = change();
    if (change.isEmpty()) {
      failOffline();
      return;
    }
    // Asked before the look at the routes: whatever changes after it is told.
    boolean isOver = change.get().toCompletableFuture().isDone();
    if (findRoute() instanceof Route.Via it && !candidates.containsAll(it.sessions())) {
      // It came back between the last look and our listening.
      tryAll(it.sessions());
    } else if (isOver) {
      // Too many wait already.
      failOffline();
    } else {
      state = State.ROUTING;
      change.get().whenComplete((_, _) -> onLoop(this::routeAgain));
    }
  }

  /// Empty: this call has waited long enough.
  private Optional<CompletionStage<Void>> change() {
    if (!waited) {
      waited = true;
      waitUntilNanos = now() + edge.settings().reconnectWait().toNanos();
    }
    long leftNanos = waitUntilNanos - now();
    return leftNanos <= 0
        ? Optional.empty()
        : Optional.of(edge.routing().awaitChange(target().site(), Duration.ofNanos(leftNanos)));
  }

  private void routeAgain() {
    if (state == State.ROUTING) {
      sawFullSession = false;
      route();
    }
  }

  private void failOffline() {
    fail(
        failure != null
            ? failure
            : InvocationProblem.agentOffline("No agent of this site is connected."));
  }

  private void tryNext() {
    while (nextCandidate < candidates.size()) {
      LiveSession session = candidates.get(nextCandidate++);
      if (!session.equals(failedSession)) {
        open(session);
        return;
      }
    }
    if (failure != null && !failureMayPass) {
      fail(failure);
    } else if (sawFullSession) {
      fail(InvocationProblem.overloaded("The agents of this site have too many calls under way."));
    } else {
      // All of them are going away: their successors may be here in a moment.
      awaitAgent();
    }
  }

  private void open(LiveSession session) {
    state = State.OPENING;
    ByteBuf head = openHead();
    if (head.readableBytes() > Protocol.MAX_HEAD_BYTES) {
      head.release();
      fail(InvocationProblem.headTooLarge());
      return;
    }
    var attempt =
        new StreamLeg(session, ctx.channel().eventLoop(), ctx.alloc(), edge.nanoTime(), this);
    leg = attempt;
    attempt.open(head, contentLength == 0);
  }

  private ByteBuf openHead() {
    InvocationTarget to = target();
    var open =
        new OpenHead(
            StreamKind.HTTP,
            deadlines.remaining(now()),
            ids,
            new AsciiString(to.system()),
            caller().wireName());
    boolean continuesTrace = IdSource.trace(request.headers()).isPresent();
    var head =
        new RequestHead(
            request.method().asciiName(),
            new AsciiString(to.pathAndQuery()),
            RequestFields.of(request.headers(), spentAuthorization, continuesTrace));
    ByteBuf payload = ctx.alloc().buffer(512);
    open.write(payload);
    head.write(payload);
    return payload;
  }

  /// This session takes no stream; nothing was sent.
  void noRoom() {
    LiveSession session = leg().session();
    sawFullSession |= session.isOpen() && !session.draining();
    dropLeg();
    tryNext();
  }

  void opened(long atNanos) {
    state = State.OPEN;
    attempts++;
    agent = leg().session().admission().agent();
    clock.opened(atNanos);
    deadlines.opened(now());
    watch();
    if (mayContinue && body.bytesIn() == 0) {
      mayContinue = false;
      answer.goOn();
    }
    body.attach(leg());
    connection.readingChanged();
  }

  private boolean trySomewhereElse(ErrorCode code, boolean untouched) {
    if (!RetryRule.maySendAgain(code, untouched, request.method(), body, attempts)) {
      return false;
    }
    failedSession = leg().session();
    failure = ErrorAnswers.of(code, untouched);
    failureMayPass = RetryRule.isTunnelLost(code);
    dropLeg();
    body.detach();
    deadlines.reopening(now());
    watch();
    route();
    return true;
  }

  // Request body.

  /// Takes ownership of `content`.
  void onContent(HttpContent content) {
    if (content.decoderResult().isFailure()) {
      content.release();
      requestBroke();
      return;
    }
    boolean last = content instanceof LastHttpContent;
    long nowNanos = now();
    deadlines.moved(nowNanos);
    body.content(content);
    if (!last) {
      return;
    }
    deadlines.requestEnded(nowNanos);
    if (state == State.OVER) {
      connection.exchangeOver();
    } else {
      watch();
    }
  }

  boolean wantsContent() {
    return body.wantsMore();
  }

  boolean requestEnded() {
    return body.ended();
  }

  void taken(int bytes) {
    body.taken(bytes);
    connection.readingChanged();
  }

  /// The framing of the body is broken: it must never look ended to the system.
  private void requestBroke() {
    keepAlive = false;
    switch (state) {
      case ADMISSION, ROUTING, OPENING, OPEN ->
          fail(InvocationProblem.badRequest("The body is malformed."));
      case ANSWERING, DELIVERING -> cut("bad-request");
      case OVER -> connection.closeAfterAnswer();
    }
  }

  // Answer.

  void onHead(AnswerHead head, boolean end, long atNanos) {
    if (state != State.OPEN) {
      badAnswer();
    } else if (head.status() < 200) {
      onInterimHead(head);
    } else {
      beginAnswer(head, end, atNanos);
    }
  }

  private void onInterimHead(AnswerHead head) {
    if (head.status() == 101) {
      badAnswer();
      return;
    }
    // 100 is between neighbours: ours went out when the stream was open.
    if (head.status() != 100 && !isHttp10()) {
      HttpHeaders headers = AnswerFields.of(head.fields()).headers();
      headers.remove(HttpHeaderNames.CONTENT_LENGTH);
      answer.interim(head.status(), headers);
    }
  }

  private void beginAnswer(AnswerHead head, boolean end, long atNanos) {
    AnswerFields fields = AnswerFields.of(head.fields());
    Optional<AnswerFraming> framed =
        AnswerFraming.of(head.status(), fields.length(), end, isHeadRequest(), isHttp10());
    if (framed.isEmpty()) {
      badAnswer();
      return;
    }
    framing = framed.get();
    status = head.status();
    state = State.ANSWERING;
    body.commit();
    long nowNanos = now();
    clock.headArrived(head, atNanos);
    clock.answered(nowNanos);
    deadlines.headArrived(nowNanos);
    watch();
    frame(fields.headers(), framing);
    answer.head(status, fields.headers());
    if (end) {
      onEnd();
    }
  }

  private void frame(HttpHeaders headers, AnswerFraming as) {
    switch (as.kind()) {
      case CHUNKED -> headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
      case UNTIL_CLOSE -> keepAlive = false;
      case NONE, LENGTH -> {}
    }
    if (as.saysEmpty()) {
      headers.set(HttpHeaderNames.CONTENT_LENGTH, HttpHeaderValues.ZERO);
    }
    if (!keepAlive) {
      headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    } else if (isHttp10()) {
      headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
    }
    headers.set(OwnFields.REQUEST_ID, ids.requestId());
    headers.add(OwnFields.SERVER_TIMING, clock.serverTiming());
    OwnFields.guardOrigin(headers);
  }

  /// Takes ownership of `data`.
  void onData(ByteBuf data) {
    if (framing == null || !framing.takes(data.readableBytes())) {
      data.release();
      badAnswer();
      return;
    }
    deadlines.moved(now());
    answer.data(data);
  }

  void onEnd() {
    if (framing == null || !framing.mayEnd()) {
      badAnswer();
      return;
    }
    answered();
    answer.end();
  }

  void onTrailers(Fields trailers) {
    if (framing == null || !framing.mayEnd()) {
      badAnswer();
      return;
    }
    boolean chunked = framing.kind() == AnswerFraming.Kind.CHUNKED;
    answered();
    if (chunked) {
      answer.end(trailers);
    } else {
      answer.end();
    }
  }

  void onReset(ErrorCode code, boolean untouched) {
    if (state == State.ANSWERING) {
      dropLeg();
      cut(ErrorAnswers.of(code, untouched).code());
    } else if (!trySomewhereElse(code, untouched)) {
      dropLeg();
      fail(ErrorAnswers.of(code, untouched));
    }
  }

  /// The whole answer is here; the stream is of no more use.
  private void answered() {
    state = State.DELIVERING;
    StreamLeg done = leg();
    leg = null;
    if (body.ended()) {
      done.forget();
    } else {
      done.end(ErrorCode.NO_ERROR, "the answer is complete");
    }
  }

  /// The agent did not keep to the protocol or to the framing it announced.
  private void badAnswer() {
    endLeg(ErrorCode.BAD_ANSWER, "bad answer");
    if (state == State.ANSWERING) {
      cut("system-closed");
    } else {
      fail(ErrorAnswers.of(ErrorCode.BAD_ANSWER, false));
    }
  }

  @Override
  public void delivered(int bytes, boolean last) {
    if (state == State.OVER) {
      return;
    }
    if (bytes > 0) {
      deadlines.moved(now());
    }
    if (leg != null) {
      leg.consumed(bytes);
    }
    if (last) {
      end();
    }
  }

  // Ends.

  /// An error before the answer's head: the caller gets a document.
  private void fail(InvocationProblem problem) {
    endLeg(ErrorCode.CANCELLED, problem.code());
    keepAlive &= isRestSkippable();
    body.discard();
    status = problem.status();
    verdict = problem.code();
    state = State.DELIVERING;
    deadlines.headArrived(now());
    watch();
    answer.whole(Problems.answer(problem, ids.requestId(), isHeadRequest(), keepAlive));
  }

  /// An error after the answer's head: the connection breaks, so that nothing looks complete.
  private void cut(String why) {
    endLeg(ErrorCode.CANCELLED, why);
    verdict = why;
    over(true);
    connection.abort();
  }

  /// The caller's connection is gone, or no longer ours.
  void callerGone() {
    if (state == State.OVER) {
      return;
    }
    endLeg(ErrorCode.CANCELLED, "the caller went away");
    boolean handedOver = state == State.DELIVERING && ctx.channel().isActive();
    boolean wasCut = status != 0 && !handedOver;
    if (!handedOver && verdict.equals(InvocationRecord.OK)) {
      verdict = InvocationRecord.CANCELLED;
    }
    over(wasCut);
  }

  /// Every byte of the answer has left.
  private void end() {
    boolean skippable = keepAlive && isRestSkippable();
    over(false);
    if (!skippable) {
      connection.closeAfterAnswer();
    } else if (body.ended()) {
      connection.exchangeOver();
    } else {
      connection.readingChanged();
    }
  }

  private void over(boolean wasCut) {
    state = State.OVER;
    body.discard();
    InvocationTarget to = target;
    edge.observer()
        .ended(
            new InvocationRecord(
                ids,
                began,
                caller == null ? "" : caller.name(),
                to == null ? "" : to.site(),
                to == null ? "" : to.system(),
                agent,
                request.method().name(),
                status,
                verdict,
                wasCut,
                body.bytesIn(),
                answer.bytesOut(),
                clock.hops(now()),
                edge.settings().tracing().parentOf(request.headers())));
  }

  /// What the caller has still to send is little, and it will send it.
  private boolean isRestSkippable() {
    return body.ended() || (!mayContinue && contentLength - body.bytesIn() <= SKIPPED_BODY_BYTES);
  }

  // Deadlines.

  /// The connection's timer went off.
  void checkDeadlines() {
    if (state == State.OVER) {
      return;
    }
    ExchangeDeadlines.Limit passed = deadlines.passed(now());
    if (passed == ExchangeDeadlines.Limit.NONE) {
      watch();
      return;
    }
    endLeg(ErrorCode.DEADLINE, "deadline");
    switch (state) {
      case ADMISSION, ROUTING, OPENING, OPEN -> fail(InvocationProblem.deadline(passed.detail()));
      case ANSWERING, DELIVERING -> cut("deadline");
      case OVER -> throw new IllegalStateException("a call that is over has no deadline");
    }
  }

  private void watch() {
    connection.lookWithin(deadlines.leftNanos(now()));
  }

  // Small things.

  private void endLeg(ErrorCode code, String text) {
    if (leg != null) {
      leg.end(code, text);
      leg = null;
    }
  }

  private void dropLeg() {
    leg().forget();
    leg = null;
  }

  private StreamLeg leg() {
    if (leg == null) {
      throw new IllegalStateException("no stream in state " + state);
    }
    return leg;
  }

  private InvocationTarget target() {
    if (target == null) {
      throw new IllegalStateException("no target in state " + state);
    }
    return target;
  }

  private Caller caller() {
    if (caller == null) {
      throw new IllegalStateException("no caller in state " + state);
    }
    return caller;
  }

  private boolean isHeadRequest() {
    return request.method().equals(HttpMethod.HEAD);
  }

  private boolean isHttp10() {
    return request.protocolVersion().equals(HttpVersion.HTTP_1_0);
  }

  private long now() {
    return edge.nanoTime().getAsLong();
  }

  private void onLoop(Runnable step) {
    if (ctx.channel().eventLoop().inEventLoop()) {
      step.run();
    } else {
      ctx.channel().eventLoop().execute(step);
    }
  }
}
