package io.penstock.agent.plugin.http;

import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.CallObserver;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;

/// One on-premise HTTP/1.1 system.
final class HttpSystem implements SystemInstance {
  private final HttpSettings settings;
  private final ConnectionPool pool;
  private final DeadlineSweep clock;
  private final CallObserver observer;
  private final CallMeters.Meter meter;

  HttpSystem(
      HttpSettings settings,
      ConnectionPool pool,
      DeadlineSweep clock,
      CallObserver observer,
      CallMeters.Meter meter) {
    this.settings = settings;
    this.pool = pool;
    this.clock = clock;
    this.observer = observer;
    this.meter = meter;
  }

  ConnectionPool pool() {
    return pool;
  }

  @Override
  public StreamListener open(OpenHead head, RequestHead request, boolean end, MuxStream stream)
      throws ProtocolException {
    RequestWriter.check(head, request);
    RequestBody body = RequestBody.of(request.fields(), end);
    var exchange =
        new HttpExchange(settings, pool, clock, observer, meter, head, request, body, end, stream);
    exchange.start();
    return exchange;
  }

  @Override
  public void close() {
    pool.close();
    settings.credentials().close();
  }
}
