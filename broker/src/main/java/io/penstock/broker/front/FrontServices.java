package io.penstock.broker.front;

import io.netty.channel.ChannelHandler;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// What every connection of the front shares.
///
/// @param edge a new handler for the invocations of one connection: it reads `HttpRequest` and
///     `HttpContent` (and whatever else the decoder says), one exchange at a time, and writes
///     `HttpResponse` and `HttpContent`; it releases what it reads and flushes what it writes
/// @param api a new handler for one connection's API requests
/// @param ingressHost whether a Host field belongs to the ingress domain; every path of such a host
///     is an invocation
/// @param doorkeeper who is let in
/// @param nanoTime monotonic clock
record FrontServices(
    FrontSettings settings,
    FrontCounters counters,
    UpgradeEndpoint tunnel,
    Supplier<ChannelHandler> edge,
    Supplier<ChannelHandler> api,
    Predicate<String> ingressHost,
    Doorkeeper doorkeeper,
    LongSupplier nanoTime) {

  ChannelHandler handler(Destination destination) {
    return destination == Destination.EDGE ? edge.get() : api.get();
  }
}
