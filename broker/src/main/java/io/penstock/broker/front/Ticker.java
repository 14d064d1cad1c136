package io.penstock.broker.front;

import io.netty.channel.EventLoop;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// Once a second, on its event loop, tells everything that registered: one timer for ten thousand
/// connections instead of one each.
public final class Ticker {
  /// Who wants to know that time passed. Called on its event loop.
  public interface Ticked {
    void tick();
  }

  /// The tickers of a process, one per event loop. Thread-safe.
  public static final class Each {
    private final ConcurrentHashMap<EventLoop, Ticker> byLoop = new ConcurrentHashMap<>();

    public Ticker of(EventLoop loop) {
      return byLoop.computeIfAbsent(loop, Ticker::new);
    }
  }

  private static final long PERIOD_MS = 1_000;

  private final EventLoop loop;
  private final Set<Ticked> ticked = new HashSet<>();

  @SuppressWarnings("FutureReturnValueIgnored") // runs until its event loop ends
  private Ticker(EventLoop loop) {
    this.loop = loop;
    loop.scheduleAtFixedRate(this::tickAll, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
  }

  public void add(Ticked one) {
    assert loop.inEventLoop();
    ticked.add(one);
  }

  public void remove(Ticked one) {
    assert loop.inEventLoop();
    ticked.remove(one);
  }

  private void tickAll() {
    for (Ticked one : ticked.toArray(Ticked[]::new)) {
      one.tick();
    }
  }
}
