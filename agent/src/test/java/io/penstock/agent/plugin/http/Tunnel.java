package io.penstock.agent.plugin.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.AsciiString;
import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.CallObserver;
import io.penstock.agent.plugin.Ceiling;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.RequestIds;
import io.penstock.codec.Role;
import io.penstock.codec.StreamKind;
import io.penstock.codec.frame.FrameReader;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.Multiplexer;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// A broker's multiplexer back to back with an agent's that serves a catalog of systems, on the one
/// event loop that an agent has.
public final class Tunnel implements AutoCloseable {
  static final RequestIds IDS = new RequestIds(1, 2, 3, 4, 5, 1);

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final SystemCatalog catalog;
  private final Multiplexer broker;
  private final Multiplexer agent;
  private boolean pumping;

  public Tunnel(List<SystemDefinition> systems, Optional<List<Ceiling>> ceiling) {
    this(systems, ceiling, new HttpPlugin());
  }

  private Tunnel(
      List<SystemDefinition> systems, Optional<List<Ceiling>> ceiling, HttpPlugin plugin) {
    catalog = new SystemCatalog(systems, ceiling, loop, NioSocketChannel.class, List.of(plugin));
    broker = multiplexer(Role.BROKER);
    agent = multiplexer(Role.AGENT);
  }

  /// One system `erp` that allows everything.
  static Tunnel to(String baseUrl, String... settings) {
    return new Tunnel(List.of(erp(baseUrl, settings)), Optional.empty());
  }

  /// The same, with somebody who hears of its calls.
  public static Tunnel observed(RawSystem system, CallObserver observer, CallMeters meters) {
    return new Tunnel(
        List.of(erp(system.url())), Optional.empty(), new HttpPlugin(observer, meters));
  }

  static SystemDefinition erp(String baseUrl, String... settings) {
    String all = "\"base_url\": \"" + baseUrl + "\"";
    for (String setting : settings) {
      all += ", " + setting;
    }
    return definition("erp", "{" + all + "}", new Allow(List.of("*"), List.of("/**")));
  }

  public static SystemDefinition definition(String name, String settings, Allow... allow) {
    try {
      return new SystemDefinition(
          name, "http", new ObjectMapper().readTree(settings), List.of(allow));
    } catch (JsonProcessingException typo) {
      throw new IllegalArgumentException(typo);
    }
  }

  public SystemCatalog catalog() {
    return catalog;
  }

  void catalogCloses() {
    on(
        () -> {
          catalog.close();
          return null;
        });
  }

  private Multiplexer multiplexer(Role role) {
    return new Multiplexer(
        role,
        Protocol.DEFAULT_MAX_STREAMS,
        new CreditPool(64 * 1024 * 1024),
        System::nanoTime,
        ByteBufAllocator.DEFAULT,
        new Multiplexer.Listener() {
          @Override
          public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
              throws ProtocolException {
            return catalog.open(OpenHead.read(head), head, end, stream);
          }

          @Override
          public void outputWaiting() {
            if (!pumping) {
              pumping = true;
              loop.execute(Tunnel.this::pump);
            }
          }
        });
  }

  /// Moves records until both ends are quiet.
  private void pump() {
    try {
      boolean moved = true;
      while (moved) {
        moved = move(broker, agent);
        moved |= move(agent, broker);
      }
    } catch (ProtocolException violation) {
      throw new IllegalStateException("the session would have ended", violation);
    } finally {
      pumping = false;
    }
  }

  private static boolean move(Multiplexer from, Multiplexer to) throws ProtocolException {
    ByteBuf record = Unpooled.buffer();
    from.fill(record);
    boolean moved = record.isReadable();
    if (moved) {
      new FrameReader(to::receive).read(record);
    }
    return moved;
  }

  // Calls.

  Call get(String path, String... fields) {
    return call("GET", path, true, fields);
  }

  /// @param fields names and values by turns
  public Call call(String method, String path, boolean end, String... fields) {
    return call(Deadlines.DEFAULT, method, path, end, fields);
  }

  Call call(Deadlines deadlines, String method, String path, boolean end, String... fields) {
    return open(StreamKind.HTTP, "erp", "alice", deadlines, method, path, end, fields);
  }

  public Call open(
      StreamKind kind,
      String system,
      String caller,
      Deadlines deadlines,
      String method,
      String path,
      boolean end,
      String... fields) {
    var all = new Fields();
    for (int i = 0; i < fields.length; i += 2) {
      all.add(fields[i], fields[i + 1]);
    }
    ByteBuf head = head(kind, system, caller, deadlines);
    new RequestHead(AsciiString.of(method), AsciiString.of(path), all).write(head);
    var call = new Call(this);
    on(
        () -> {
          call.opened(broker.open(head, end, call).orElseThrow());
          return null;
        });
    return call;
  }

  /// A call that its caller leaves before anything of it is on its way.
  void openAndReset(String path) {
    ByteBuf head = head(StreamKind.HTTP, "erp", "alice", Deadlines.DEFAULT);
    new RequestHead(AsciiString.of("GET"), AsciiString.of(path), new Fields()).write(head);
    var call = new Call(this);
    on(
        () -> {
          MuxStream opened = broker.open(head, true, call).orElseThrow();
          call.opened(opened);
          opened.reset(ErrorCode.CANCELLED, false, "gone");
          return null;
        });
  }

  private static ByteBuf head(StreamKind kind, String system, String caller, Deadlines deadlines) {
    ByteBuf head = Unpooled.buffer();
    new OpenHead(kind, deadlines, IDS, AsciiString.of(system), AsciiString.of(caller)).write(head);
    return head;
  }

  int openAtBroker() {
    return on(broker::openStreams);
  }

  int openAtAgent() {
    return on(agent::openStreams);
  }

  <T extends @Nullable Object> T on(Callable<T> task) {
    try {
      return loop.submit(task).get(10, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException failed) {
      throw new IllegalStateException(failed);
    }
  }

  @Override
  public void close() {
    catalogCloses();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
  }
}
