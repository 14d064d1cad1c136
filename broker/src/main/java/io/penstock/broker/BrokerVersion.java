package io.penstock.broker;

/// The version that operators see.
final class BrokerVersion {
  static final String TEXT = "0.1.0";

  private BrokerVersion() {}
}
