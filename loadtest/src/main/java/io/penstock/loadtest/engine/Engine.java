package io.penstock.loadtest.engine;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The load generator: a few event loops, over which flows are spread.
public final class Engine implements AutoCloseable {
  /// So that all flows stand ready at their common start.
  private static final long LEAD_NANOS = 20_000_000;

  private final EventLoopGroup group;
  private final Class<? extends Channel> channelType;
  private final List<EventLoop> loops;

  private Engine(
      EventLoopGroup group, Class<? extends Channel> channelType, List<EventLoop> loops) {
    this.group = group;
    this.channelType = channelType;
    this.loops = loops;
  }

  /// @param threads event loops; a flow runs on one of them
  public static Engine of(int threads) {
    boolean epoll = Epoll.isAvailable();
    var group =
        new MultiThreadIoEventLoopGroup(
            threads,
            new DefaultThreadFactory("load", true),
            epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    List<EventLoop> loops = Stream.generate(() -> (EventLoop) group.next()).limit(threads).toList();
    return new Engine(group, epoll ? EpollSocketChannel.class : NioSocketChannel.class, loops);
  }

  /// Runs all flows beside each other; completes when the last request of the last flow is over,
  /// which is at most its timeout after the end of the duration.
  public CompletableFuture<List<FlowResult>> run(
      Endpoint endpoint, List<Flow> flows, Duration duration, Progress progress) {
    List<FlowRun> runs = new ArrayList<>();
    for (int i = 0; i < flows.size(); i++) {
      runs.add(
          new FlowRun(
              loops.get(i % loops.size()),
              channelType,
              endpoint,
              flows.get(i),
              progress,
              duration.toNanos()));
    }
    return all(runs.stream().map(FlowRun::prepare).toList())
        .thenCompose(
            _ -> {
              progress.begun.complete(null);
              return start(runs, System.nanoTime() + LEAD_NANOS);
            });
  }

  private static CompletableFuture<List<FlowResult>> start(List<FlowRun> runs, long at) {
    List<CompletableFuture<FlowResult>> results = runs.stream().map(run -> run.start(at)).toList();
    return all(results).thenApply(_ -> results.stream().map(CompletableFuture::join).toList());
  }

  private static CompletableFuture<Void> all(List<? extends CompletableFuture<?>> futures) {
    return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new));
  }

  /// Of the event loops, for whoever watches their load.
  public List<Long> threadIds() {
    return loops.stream()
        .map(loop -> ((SingleThreadEventExecutor) loop).threadProperties().id())
        .toList();
  }

  /// For tests that starve the generator.
  List<EventLoop> loops() {
    return loops;
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
