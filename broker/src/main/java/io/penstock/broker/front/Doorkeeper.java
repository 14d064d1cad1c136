package io.penstock.broker.front;

import io.netty.handler.codec.http.HttpRequest;
import java.net.InetAddress;

/// Where requests come from, and who is not let in. Called on event loops for every connection and
/// request: thread-safe, never blocks.
public interface Doorkeeper {
  /// Believes nobody, and lets everybody in.
  Doorkeeper OPEN =
      new Doorkeeper() {
        @Override
        public InetAddress client(HttpRequest request, InetAddress peer) {
          return peer;
        }

        @Override
        public boolean admitsConnection(InetAddress peer) {
          return true;
        }

        @Override
        public boolean admits(InetAddress client, boolean fromAnywhere) {
          return true;
        }
      };

  /// The address that a request comes from: the peer's, or what a proxy that is trusted says.
  InetAddress client(HttpRequest request, InetAddress peer);

  /// Before anything was read.
  boolean admitsConnection(InetAddress peer);

  /// @param fromAnywhere it wants something that every address may have that is not blocked: a
  ///     tunnel, or the broker's health
  boolean admits(InetAddress client, boolean fromAnywhere);
}
