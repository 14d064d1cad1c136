package io.penstock.broker;

import io.penstock.broker.delivery.MessageQueue;
import java.util.function.Supplier;

/// Stands where `broker.delivery` will be wired: versions can be made and looked at, deploying them
/// fails with this sentence.
record NoDelivery() implements Supplier<MessageQueue> {
  @Override
  public MessageQueue get() {
    throw new IllegalStateException("this build has no delivery: nothing can be deployed");
  }
}
