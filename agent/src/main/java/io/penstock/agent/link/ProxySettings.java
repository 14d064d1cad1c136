package io.penstock.agent.link;

import java.util.Optional;

/// A corporate HTTP proxy that is asked to CONNECT.
public record ProxySettings(BrokerAddress address, Optional<Login> login) {

  /// Basic authentication.
  public record Login(String user, String password) {
    @Override
    public String toString() {
      return "Login[secret]";
    }
  }
}
