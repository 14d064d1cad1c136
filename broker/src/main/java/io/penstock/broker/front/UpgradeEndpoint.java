package io.penstock.broker.front;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import java.util.function.Consumer;

/// Takes connections over from HTTP: the tunnel endpoint.
public interface UpgradeEndpoint {

  /// Judges a request without a body, on the connection's event loop.
  Decision decide(HttpRequest request, Channel channel);

  /// What becomes of the connection.
  sealed interface Decision {

    /// Stays HTTP, gets this answer, is closed.
    ///
    /// @param retryAfterSeconds 0 = no Retry-After
    record Refused(int status, String title, int retryAfterSeconds) implements Decision {}

    /// Gets `answer` (101); then the front's handlers are gone, and `install` adds the new ones,
    /// which also receive what the peer has sent already.
    record Accepted(HttpResponse answer, Consumer<ChannelPipeline> install) implements Decision {}
  }
}
