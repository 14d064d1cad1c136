package io.penstock.loadtest.fleet;

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
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Thousands of simulated agents of one broker on a few event loops. An agent costs a socket, a TLS
/// engine and a session, and no thread.
public final class Fleet implements AutoCloseable {
  private final BrokerEndpoint broker;
  private final EventLoopGroup group;
  private final Class<? extends Channel> channelType;
  private final List<Loop> loops;
  private final List<SimulatedAgent> agents = new ArrayList<>();
  private final FleetCounters counters = new FleetCounters();
  private final SecureRandom random = new SecureRandom();
  private final SourceAddresses sources;
  private volatile Optional<EchoSystem> system = Optional.empty();
  private volatile @Nullable Tap tap;
  private volatile boolean holdsAnswers;
  private volatile boolean closing;

  private Fleet(
      BrokerEndpoint broker,
      EventLoopGroup group,
      Class<? extends Channel> channelType,
      List<Loop> loops) {
    this.broker = broker;
    this.group = group;
    this.channelType = channelType;
    this.loops = loops;
    sources = SourceAddresses.towards(broker.host());
  }

  /// @param threads event loops
  public static Fleet of(BrokerEndpoint broker, int threads) {
    boolean epoll = Epoll.isAvailable();
    var group =
        new MultiThreadIoEventLoopGroup(
            threads,
            new DefaultThreadFactory("fleet", true),
            epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    List<Loop> loops =
        Stream.generate(() -> new Loop((EventLoop) group.next())).limit(threads).toList();
    return new Fleet(
        broker, group, epoll ? EpollSocketChannel.class : NioSocketChannel.class, loops);
  }

  /// A new agent with keys of its own, not enrolled.
  public synchronized SimulatedAgent create(String name) {
    Loop loop = loops.get(agents.size() % loops.size());
    var agent =
        new SimulatedAgent(name, this, loop, new Identity(random), sources.of(agents.size()));
    agents.add(agent);
    return agent;
  }

  public synchronized List<SimulatedAgent> agents() {
    return List.copyOf(agents);
  }

  public FleetCounters counters() {
    return counters;
  }

  /// The system that answers ([#answer]), for URLs.
  public static String systemName() {
    return EchoSystem.NAME;
  }

  /// Agents that connect from now on serve a system, and answer each request with so many bytes.
  public void answer(int bytes) {
    system = Optional.of(new EchoSystem(bytes));
  }

  Optional<EchoSystem> system() {
    return system;
  }

  /// From now on messages are taken and not answered.
  public void holdAnswers() {
    holdsAnswers = true;
  }

  /// Everything that is due is answered, and all that comes.
  public void releaseAnswers() {
    holdsAnswers = false;
    agents().forEach(SimulatedAgent::release);
  }

  /// For tests of what must not be there.
  public void tap(Tap hears) {
    tap = hears;
  }

  @Nullable Tap tap() {
    return tap;
  }

  boolean holdsAnswers() {
    return holdsAnswers;
  }

  boolean isClosing() {
    return closing;
  }

  BrokerEndpoint broker() {
    return broker;
  }

  Class<? extends Channel> channelType() {
    return channelType;
  }

  /// Of the event loops, for whoever watches their load.
  public List<Long> threadIds() {
    return loops.stream()
        .map(loop -> ((SingleThreadEventExecutor) loop.eventLoop()).threadProperties().id())
        .toList();
  }

  /// All tunnels end without a word.
  @Override
  public void close() {
    closing = true;
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
  }
}
