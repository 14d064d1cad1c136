package io.penstock.broker;

import io.penstock.broker.delivery.MessageQueue;

/// Stands where `broker.delivery` will be wired: versions can be made and looked at, deploying them
/// fails with this sentence.
final class NoDelivery {
  private NoDelivery() {}

  static MessageQueue queue() {
    throw new IllegalStateException("this build has no delivery: nothing can be deployed");
  }
}
