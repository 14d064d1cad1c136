package io.penstock.agent.plugin.http;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.penstock.agent.link.TrustedTls;
import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.CallObserver;
import io.penstock.agent.plugin.Plugin;
import io.penstock.agent.plugin.SettingsException;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.message.ControlMessage.TestStage;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// Systems that speak HTTP/1.1, plain or under TLS.
public final class HttpPlugin implements Plugin {
  private final CallObserver observer;
  private final CallMeters meters;

  public HttpPlugin() {
    this(CallObserver.NONE, new CallMeters());
  }

  public HttpPlugin(CallObserver observer, CallMeters meters) {
    this.observer = observer;
    this.meters = meters;
  }

  @Override
  public String name() {
    return "http";
  }

  @Override
  public SystemInstance start(
      SystemDefinition definition, EventLoop loop, Class<? extends Channel> channelType) {
    HttpSettings settings = HttpSettings.read(definition.settings(), definition.secrets());
    var connector = new Connector(settings.origin(), tls(settings), loop, channelType);
    var clock = new DeadlineSweep(loop);
    return new HttpSystem(
        settings,
        new ConnectionPool(settings, connector, loop, clock),
        clock,
        observer,
        meters.of(definition.name()));
  }

  @Override
  public List<TestStage> test(SystemDefinition definition) {
    HttpSettings settings = HttpSettings.read(definition.settings(), definition.secrets());
    try {
      return new HttpTest(settings).run();
    } finally {
      settings.credentials().close();
    }
  }

  private static Optional<SslContext> tls(HttpSettings settings) {
    if (!settings.origin().tls()) {
      return Optional.empty();
    }
    try {
      return Optional.of(TrustedTls.of(settings.caFile().stream().toList()).systemContext());
    } catch (IOException unusable) {
      throw new SettingsException(List.of("ca_file: " + unusable.getMessage()));
    }
  }
}
