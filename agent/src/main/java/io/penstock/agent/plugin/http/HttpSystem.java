package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.AsciiString;
import io.netty.util.concurrent.Future;
import io.penstock.agent.plugin.Refused;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.StreamKind;
import io.penstock.codec.exposure.ExposureRules;
import io.penstock.codec.http.InvocationPath;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.session.Clock;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One HTTP system: decides about each stream, and keeps the time of those under way. On the event
/// loop.
final class HttpSystem implements SystemInstance {
  /// How exact deadlines are. One timer for all exchanges: one each would be dearer than the calls.
  private static final long TICK_MS = 50;
  private static final int MAX_METHOD = 32;

  private final HttpSettings settings;
  private final ExposureRules rules;
  private final Pool pool;
  private final EventLoop eventLoop;
  private final Clock clock;
  private final RequestWriter writer;

  // Exchanges under way, linked through themselves.
  private @Nullable HttpExchange first;
  private @Nullable Future<?> ticks;

  HttpSystem(
      HttpSettings settings, ExposureRules rules, Pool pool, EventLoop eventLoop, Clock clock) {
    this.settings = settings;
    this.rules = rules;
    this.pool = pool;
    this.eventLoop = eventLoop;
    this.clock = clock;
    writer = new RequestWriter(settings);
  }

  RequestWriter writer() {
    return writer;
  }

  Pool pool() {
    return pool;
  }

  long now() {
    return clock.nanoTime();
  }

  @Override
  public StreamListener open(OpenHead open, ByteBuf rest, boolean end, MuxStream stream)
      throws ProtocolException {
    if (open.kind() != StreamKind.HTTP) {
      stream.reset(ErrorCode.BAD_REQUEST, true, "an http system serves streams of kind http");
      return Refused.LISTENER;
    }
    RequestHead head = RequestHead.read(rest);
    requireClean(open, head);
    if (!rules.allows(head.method(), head.path())) {
      stream.reset(ErrorCode.NOT_EXPOSED, true, "no rule of the agent allows this");
      return Refused.LISTENER;
    }
    var exchange =
        new HttpExchange(
            this,
            stream,
            open,
            head,
            RequestBody.of(head, end),
            open.deadlines().atMost(settings.deadlines()),
            end);
    add(exchange);
    if (!pool.acquire(exchange)) {
      exchange.overloaded();
    }
    return exchange;
  }

  /// The strict gate again (design: HTTP through the tunnel): nothing here depends on the broker
  /// having done it.
  private static void requireClean(OpenHead open, RequestHead head) throws ProtocolException {
    InvocationPath.Judgement path = InvocationPath.judge(head.path());
    if (path != InvocationPath.Judgement.CLEAN) {
      throw bad("a path that two servers could read differently: " + path);
    }
    if (!isMethod(head.method()) || head.method().contentEquals("CONNECT")) {
      throw bad("a method that is none");
    }
    requireVisible(open.caller(), "caller");
    Fields fields = head.fields();
    for (int i = 0; i < fields.count(); i++) {
      requireVisible(fields.value(i), "field value");
    }
  }

  private static boolean isMethod(AsciiString method) {
    if (method.isEmpty() || method.length() > MAX_METHOD) {
      return false;
    }
    for (int i = 0; i < method.length(); i++) {
      char c = method.charAt(i);
      boolean letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      if (!letter && (c < '0' || c > '9') && "!#$%&'*+-.^_`|~".indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }

  private static void requireVisible(CharSequence text, String what) throws ProtocolException {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < 0x20 && c != '\t') || c >= 0x7f) {
        throw bad("a " + what + " with a control or non-ASCII byte");
      }
    }
  }

  private static ProtocolException bad(String message) {
    return new ProtocolException(ErrorCode.BAD_REQUEST, message);
  }

  // Time.

  private void add(HttpExchange exchange) {
    exchange.next = first;
    if (first != null) {
      first.previous = exchange;
    }
    first = exchange;
    if (ticks == null) {
      ticks = eventLoop.scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }
  }

  void remove(HttpExchange exchange) {
    HttpExchange before = exchange.previous;
    HttpExchange after = exchange.next;
    if (before != null) {
      before.next = after;
    } else if (first == exchange) {
      first = after;
    }
    if (after != null) {
      after.previous = before;
    }
    exchange.previous = null;
    exchange.next = null;
  }

  private void tick() {
    long now = clock.nanoTime();
    HttpExchange exchange = first;
    while (exchange != null) {
      HttpExchange after = exchange.next;
      exchange.tick(now);
      exchange = after;
    }
    pool.sweep(now);
    if (first == null && !pool.hasIdle() && ticks != null) {
      ticks.cancel(false);
      ticks = null;
    }
  }

  @Override
  public void close() {
    eventLoop.execute(pool::close);
  }
}
