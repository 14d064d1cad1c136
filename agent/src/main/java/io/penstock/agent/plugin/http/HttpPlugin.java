package io.penstock.agent.plugin.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.penstock.agent.plugin.Plugin;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.exposure.ExposureRules;
import io.penstock.codec.session.Clock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Systems that speak HTTP/1.1.
public final class HttpPlugin implements Plugin {
  public static final String NAME = "http";

  private final EventLoop eventLoop;
  private final Class<? extends Channel> channelType;
  private final SystemTls tls;
  private final Clock clock;

  /// @param eventLoop of the tunnels
  public HttpPlugin(
      EventLoop eventLoop, Class<? extends Channel> channelType, SystemTls tls, Clock clock) {
    this.eventLoop = eventLoop;
    this.channelType = channelType;
    this.tls = tls;
    this.clock = clock;
  }

  /// What is wrong with `settings`, each problem beginning with its key; empty = nothing.
  public static List<String> problems(JsonNode settings) {
    return HttpSettings.problems(settings);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SystemInstance start(String system, JsonNode settings, ExposureRules rules)
      throws IOException {
    HttpSettings read = HttpSettings.read(settings, new ArrayList<>());
    if (read == null) {
      throw new IOException("system " + system + ": its settings have problems");
    }
    Optional<SslContext> context =
        read.tls() ? Optional.of(tls.context(read.caFile())) : Optional.empty();
    var connector = new Connector(eventLoop, channelType, read, context);
    return new HttpSystem(read, rules, new Pool(connector, read, clock), eventLoop, clock);
  }
}
