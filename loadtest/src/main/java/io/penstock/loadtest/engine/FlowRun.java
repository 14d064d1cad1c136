package io.penstock.loadtest.engine;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import io.penstock.loadtest.rate.StartTimes;
import io.penstock.loadtest.record.Recording;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// One flow against one target, from its first intended start to its last answer.
///
/// Times are nanoseconds since the start that all flows of a run share. In open loop a request that
/// finds no idle connection waits in a queue, and its response time goes on counting: the load does
/// not slow down because the target does. Everything runs on one event loop.
final class FlowRun {
  private static final int CONNECT_MS = 10_000;

  /// Beyond, requests fail as "not sent": the target is far behind.
  private static final int MAX_WAITING = 200_000;

  private static final long SWEEP_NANOS = 20_000_000;
  private static final long RECONNECT_NANOS = 100_000_000;
  private static final int SLOW_RECEIVE_BUFFER = 64 << 10;
  private static final int SLOW_PIECE = 16 << 10;
  private static final int MAX_HEAD = 64 << 10;
  private static final int CHUNK = 64 << 10;

  /// Of answers, one in so many is asked for its hops: reading them costs time.
  private static final int HOPS_OF_ONE_IN = 4;

  private static final int DIGITS = 3;

  private final EventLoop loop;
  private final Class<? extends Channel> channelType;
  private final Endpoint endpoint;
  private final Flow flow;
  private final Progress progress;
  private final long durationNanos;
  private final Recording recording;
  private final Histogram lateness = new Histogram(DIGITS);
  private final CompletableFuture<FlowResult> done = new CompletableFuture<>();

  private final List<ByteBuf> encoded = new ArrayList<>();
  private final double[] chances;
  private final SplittableRandom random = new SplittableRandom(1);

  private final Set<Connection> connections = new LinkedHashSet<>();
  private final Deque<Connection> idle = new ArrayDeque<>();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private int connecting;
  private final CompletableFuture<Void> prepared = new CompletableFuture<>();
  private long startNanos;
  private boolean started;
  private boolean pacing;
  private boolean over;
  private long timings;
  private int underWay;
  private int mostAtOnce;
  private @Nullable Future<?> sweeping;

  private record Waiting(long intendedNanos, ByteBuf request) {}

  FlowRun(
      EventLoop loop,
      Class<? extends Channel> channelType,
      Endpoint endpoint,
      Flow flow,
      Progress progress,
      long durationNanos) {
    this.loop = loop;
    this.channelType = channelType;
    this.endpoint = endpoint;
    this.flow = flow;
    this.progress = progress;
    this.durationNanos = durationNanos;
    recording = Recording.of(durationNanos);
    chances = new double[flow.mix().size()];
    double sum = 0;
    for (int i = 0; i < chances.length; i++) {
      Request request = flow.mix().get(i);
      sum += request.weight();
      chances[i] = sum;
      encoded.add(encode(request));
    }
  }

  private ByteBuf encode(Request request) {
    byte[] head = endpoint.head(request);
    ByteBuf all = Unpooled.directBuffer(head.length + request.bodyBytes());
    all.writeBytes(head);
    for (int i = 0; i < request.bodyBytes(); i++) {
      all.writeByte('a' + i % 26);
    }
    return all;
  }

  /// Opens the connections, so that no turn begins with handshakes; completes when each is open or
  /// has failed, which is an error only once the load has started.
  CompletableFuture<Void> prepare() {
    loop.execute(
        () -> {
          // Held up, as a connection may fail before the next one is tried.
          connecting++;
          for (int i = 0; i < flow.connections(); i++) {
            connect();
          }
          connecting--;
          prepared();
        });
    return prepared;
  }

  /// @param at `System.nanoTime()` of the common start
  CompletableFuture<FlowResult> start(long at) {
    loop.execute(
        () -> {
          startNanos = at;
          started = true;
          pacing = true;
          sweeping =
              loop.scheduleAtFixedRate(this::sweep, SWEEP_NANOS, SWEEP_NANOS, TimeUnit.NANOSECONDS);
          switch (flow.pace()) {
            case Pace.Open open -> startOpen(open);
            case Pace.Closed _ -> startClosed();
          }
        });
    return done;
  }

  private long now() {
    return System.nanoTime() - startNanos;
  }

  // Open loop.

  private void startOpen(Pace.Open open) {
    StartTimes times = open.rate().startTimes();
    tick(times, times.nextNanos());
  }

  /// Starts all that is due, and comes back at the next intended start.
  private void tick(StartTimes times, long first) {
    long next = first;
    long now = now();
    while (next <= now && next < durationNanos) {
      lateness.recordValue(now - next);
      begin(next, now);
      next = times.nextNanos();
      now = now();
    }
    if (next >= durationNanos) {
      pacing = false;
      endIfNothingIsLeft();
      return;
    }
    long due = next;
    var _ = loop.schedule(() -> tick(times, due), due - now, TimeUnit.NANOSECONDS);
  }

  private void begin(long intended, long now) {
    progress.started.increment();
    ByteBuf request = choose();
    Connection free = idle.pollLast();
    if (free != null) {
      free.send(request.retainedDuplicate(), intended, now);
      return;
    }
    if (waiting.size() == MAX_WAITING) {
      failed("not sent: " + MAX_WAITING + " requests wait", intended);
      return;
    }
    waiting.add(new Waiting(intended, request));
    if (connections.size() < flow.connections() && connecting < waiting.size()) {
      connect();
    }
  }

  private ByteBuf choose() {
    if (chances.length == 1) {
      return encoded.getFirst();
    }
    double point = random.nextDouble() * chances[chances.length - 1];
    int i = 0;
    while (chances[i] <= point) {
      i++;
    }
    return encoded.get(i);
  }

  // Closed loop.

  private void startClosed() {
    long wait = -now();
    var _ =
        loop.schedule(
            () -> {
              List<Connection> ready = List.copyOf(idle);
              idle.clear();
              ready.forEach(this::next);
              for (int i = connections.size(); i < flow.connections(); i++) {
                connect();
              }
            },
            Math.max(0, wait),
            TimeUnit.NANOSECONDS);
    var _ =
        loop.schedule(
            () -> {
              pacing = false;
              endIfNothingIsLeft();
            },
            durationNanos + Math.max(0, wait),
            TimeUnit.NANOSECONDS);
  }

  private boolean isClosedLoop() {
    return flow.pace() instanceof Pace.Closed;
  }

  /// What a connection does next.
  private void next(Connection connection) {
    long now = now();
    if (isClosedLoop()) {
      if (pacing && now < durationNanos) {
        progress.started.increment();
        connection.send(choose().retainedDuplicate(), now, now);
      } else {
        idle.add(connection);
      }
      return;
    }
    Waiting first = waiting.poll();
    if (first == null) {
      idle.add(connection);
    } else {
      connection.send(first.request().retainedDuplicate(), first.intendedNanos(), now);
    }
  }

  // Connections.

  private void connect() {
    var connection = new Connection(this);
    connections.add(connection);
    connecting++;
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(channelType)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
            .option(ChannelOption.TCP_NODELAY, true)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    fill(channel, connection);
                  }
                });
    if (readsSlowly()) {
      bootstrap
          .option(ChannelOption.AUTO_READ, false)
          .option(ChannelOption.SO_RCVBUF, SLOW_RECEIVE_BUFFER)
          .option(
              ChannelOption.RECVBUF_ALLOCATOR,
              new FixedRecvByteBufAllocator(SLOW_PIECE).maxMessagesPerRead(1));
    }
    var connect = bootstrap.connect(endpoint.host(), endpoint.port());
    connect.addListener(
        (Future<? super Void> connected) -> {
          if (!connected.isSuccess()) {
            notConnected(connection, connected.cause());
            return;
          }
          SslHandler tls = connect.channel().pipeline().get(SslHandler.class);
          if (tls == null) {
            connected(connection, connect.channel());
            return;
          }
          tls.handshakeFuture()
              .addListener(
                  (Future<? super Channel> shaken) -> {
                    if (shaken.isSuccess()) {
                      connected(connection, connect.channel());
                    } else {
                      var _ = connect.channel().close();
                      notConnected(connection, shaken.cause());
                    }
                  });
        });
  }

  private void fill(Channel channel, Connection connection) {
    endpoint
        .tls()
        .ifPresent(
            tls ->
                channel
                    .pipeline()
                    .addLast(tls.newHandler(channel.alloc(), endpoint.host(), endpoint.port())));
    channel.pipeline().addLast(new HttpResponseDecoder(MAX_HEAD, MAX_HEAD, CHUNK), connection);
  }

  private void connected(Connection connection, Channel channel) {
    connecting--;
    if (over) {
      var _ = channel.close();
      return;
    }
    connection.ready(channel);
    if (!started) {
      idle.add(connection);
      prepared();
      return;
    }
    next(connection);
    endIfNothingIsLeft();
  }

  private void prepared() {
    if (connecting == 0) {
      prepared.complete(null);
    }
  }

  /// Fails one request: the one that wanted this connection.
  private void notConnected(Connection connection, @Nullable Throwable cause) {
    connecting--;
    connections.remove(connection);
    if (over) {
      return;
    }
    if (!started) {
      prepared();
      return;
    }
    String kind = "cannot connect: " + kind(cause);
    if (isClosedLoop()) {
      progress.started.increment();
      failed(kind, now());
      reconnect();
      return;
    }
    Waiting first = waiting.poll();
    if (first != null) {
      failed(kind, first.intendedNanos());
    }
    connectForWaiting();
    endIfNothingIsLeft();
  }

  private void reconnect() {
    if (pacing) {
      var _ =
          loop.schedule(
              () -> {
                if (pacing) {
                  connect();
                }
              },
              RECONNECT_NANOS,
              TimeUnit.NANOSECONDS);
    }
  }

  private void connectForWaiting() {
    if (!waiting.isEmpty()
        && connections.size() < flow.connections()
        && connecting < waiting.size()) {
      connect();
    }
  }

  /// A connection ended that had been ready. Called once.
  void gone(Connection connection) {
    if (!connections.remove(connection) || over) {
      return;
    }
    idle.remove(connection);
    if (!started) {
      return;
    }
    if (isClosedLoop()) {
      if (!connection.hasServed()) {
        reconnect();
      } else if (pacing) {
        connect();
      }
    } else {
      connectForWaiting();
    }
    endIfNothingIsLeft();
  }

  // What connections say.

  boolean readsSlowly() {
    return flow.readBytesPerSecond() > 0;
  }

  /// Nanoseconds until a slow reader wants more.
  long slowReadDueNanos(long sentNanos, long bytes) {
    return sentNanos + Math.round(bytes * 1e9 / flow.readBytesPerSecond()) - now();
  }

  void begun() {
    underWay++;
    mostAtOnce = Math.max(mostAtOnce, underWay);
  }

  void over() {
    underWay--;
  }

  void received(int bytes) {
    recording.received(now(), bytes);
  }

  void timing(String value) {
    if (timings++ % HOPS_OF_ONE_IN == 0) {
      ServerTimings.read(value, recording.hops());
    }
  }

  void ended(Connection connection, String wrong) {
    long now = now();
    if (wrong.isEmpty()) {
      recording.answered(connection.intendedNanos(), connection.sentNanos(), now);
      progress.answered.increment();
    } else {
      failed(wrong, connection.intendedNanos());
    }
    if (connection.isKept()) {
      next(connection);
    }
    endIfNothingIsLeft();
  }

  void failed(String kind, long intended) {
    recording.failed(kind, intended);
    progress.failed.increment();
  }

  static String kind(@Nullable Throwable cause) {
    return switch (cause) {
      case null -> "unknown";
      case ConnectTimeoutException _ -> "timeout";
      case ConnectException _ -> "refused";
      case SSLException _ -> "tls";
      case java.net.UnknownHostException _ -> "unknown host";
      case java.io.IOException _ -> "connection reset";
      default -> cause.getClass().getSimpleName();
    };
  }

  // Giving up, and the end.

  private void sweep() {
    long now = now();
    long giveUp = now - flow.timeout().toNanos();
    for (Connection connection : List.copyOf(connections)) {
      if (connection.isBusy() && connection.intendedNanos() < giveUp) {
        recording.timedOut("timeout", connection.intendedNanos(), connection.sentNanos(), now);
        progress.failed.increment();
        connection.abandon();
      }
    }
    while (!waiting.isEmpty() && waiting.element().intendedNanos() < giveUp) {
      recording.neverSent("timeout before it could be sent", waiting.remove().intendedNanos(), now);
      progress.failed.increment();
    }
    endIfNothingIsLeft();
  }

  private void endIfNothingIsLeft() {
    if (over || pacing || !waiting.isEmpty() || connections.stream().anyMatch(Connection::isBusy)) {
      return;
    }
    over = true;
    if (sweeping != null) {
      sweeping.cancel(false);
    }
    List.copyOf(connections).forEach(Connection::abandon);
    connections.clear();
    encoded.forEach(ByteBuf::release);
    done.complete(
        new FlowResult(
            flow.name(), !isClosedLoop(), 0, durationNanos, recording, lateness, mostAtOnce));
  }
}
